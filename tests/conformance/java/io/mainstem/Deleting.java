package io.mainstem;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import org.apache.iceberg.TableMetadata;
import org.apache.iceberg.rest.RESTClient;
import org.apache.iceberg.rest.responses.LoadTableResponse;

/**
 * A client that believes it may delete the files of snapshots that it expires.
 *
 * <p>Mainstem's tables forbid it by gc.enabled=false, since other branches may read the files, and
 * Java's client obeys before it asks the server anything. So that the server is still asked to
 * remove snapshots, specs and schemas, this client reads gc.enabled=true instead.
 */
final class Deleting {
  private Deleting() {}

  static RESTClient client(RESTClient client) {
    return (RESTClient)
        Proxy.newProxyInstance(
            Deleting.class.getClassLoader(),
            new Class<?>[] {RESTClient.class},
            (proxy, method, arguments) -> {
              try {
                Object answer = method.invoke(client, arguments);
                if (answer instanceof RESTClient session) {
                  return client(session);
                }
                return answer instanceof LoadTableResponse loaded ? deletable(loaded) : answer;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private static LoadTableResponse deletable(LoadTableResponse loaded) {
    TableMetadata metadata = loaded.tableMetadata();
    TableMetadata changed =
        TableMetadata.buildFrom(metadata)
            .setProperties(Map.of("gc.enabled", "true"))
            .discardChanges()
            .withMetadataLocation(metadata.metadataFileLocation())
            .build();
    return LoadTableResponse.builder()
        .withTableMetadata(changed)
        .addAllConfig(loaded.config())
        .addAllCredentials(loaded.credentials())
        .build();
  }
}
