package io.mainstem;

import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.apache.iceberg.catalog.Namespace;
import org.apache.iceberg.catalog.TableIdentifier;
import org.apache.iceberg.rest.HTTPClient;
import org.apache.iceberg.rest.RESTCatalog;
import org.apache.iceberg.rest.RESTClient;
import org.apache.iceberg.rest.RESTUtil;

/** The servers under test, as kit.py describes them in system properties. */
final class Server {
  /** The server, run as people run it. */
  static final String USUAL = "mainstem.uri";

  /** Another process of it, which keeps no metadata file in memory. */
  static final String FORGETFUL = "mainstem.forgetful-uri";

  private static final String CLIENT_PREFIX = "client.";

  /** What a client is configured with; cases of both suites expect it. */
  private static final Map<String, String> CLIENT_PROPERTIES =
      Map.of(
          "table-default.default-key1", "catalog-default-key1",
          "table-default.default-key2", "catalog-default-key2",
          "table-default.override-key3", "catalog-default-key3",
          "table-override.override-key3", "catalog-override-key3",
          "table-override.override-key4", "catalog-override-key4",
          "view-default.key1", "catalog-default-key1",
          "view-default.key2", "catalog-default-key2",
          "view-default.key3", "catalog-default-key3",
          "view-override.key3", "catalog-override-key3",
          "view-override.key4", "catalog-override-key4");

  private Server() {}

  /** Opens a client on the branch under test. */
  static RESTCatalog open(String name, Map<String, String> properties) {
    return open(USUAL, name, properties, UnaryOperator.identity());
  }

  /** Opens a client of one of the servers, with something between it and the wire. */
  static RESTCatalog open(
      String server, String name, Map<String, String> properties, UnaryOperator<RESTClient> wrap) {
    Map<String, String> all = new HashMap<>(CLIENT_PROPERTIES);
    all.put("uri", required(server));
    all.put("warehouse", required("mainstem.warehouse"));
    System.getProperties().forEach(
        (key, value) -> {
          if (key.toString().startsWith(CLIENT_PREFIX)) {
            all.put(key.toString().substring(CLIENT_PREFIX.length()), value.toString());
          }
        });
    all.putAll(properties);
    RESTCatalog catalog = new RESTCatalog(config -> wrap.apply(connect(config)));
    catalog.initialize(name, all);
    return catalog;
  }

  private static RESTClient connect(Map<String, String> config) {
    return HTTPClient.builder(config)
        .uri(config.get("uri"))
        .withHeaders(RESTUtil.configHeaders(config))
        .build();
  }

  /** Where tests may ask for locations: the server refuses what lies outside its warehouse. */
  static String location() {
    return required("mainstem.location");
  }

  /** Drops everything on the branch under test. */
  static void clear(RESTCatalog catalog) {
    for (Namespace namespace : catalog.listNamespaces()) {
      clear(catalog, namespace);
    }
  }

  private static void clear(RESTCatalog catalog, Namespace namespace) {
    for (Namespace child : catalog.listNamespaces(namespace)) {
      clear(catalog, child);
    }
    for (TableIdentifier table : catalog.listTables(namespace)) {
      catalog.dropTable(table, false);
    }
    for (TableIdentifier view : catalog.listViews(namespace)) {
      catalog.dropView(view);
    }
    catalog.dropNamespace(namespace);
  }

  private static String required(String property) {
    String value = System.getProperty(property);
    if (value == null) {
      throw new IllegalStateException("System property " + property + " is not set");
    }
    return value;
  }
}
