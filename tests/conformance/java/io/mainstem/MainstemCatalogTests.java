package io.mainstem;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.apache.iceberg.BaseTable;
import org.apache.iceberg.Table;
import org.apache.iceberg.catalog.CatalogTests;
import org.apache.iceberg.catalog.TableIdentifier;
import org.apache.iceberg.exceptions.NotFoundException;
import org.apache.iceberg.rest.RESTCatalog;
import org.apache.iceberg.rest.RESTClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

/** Apache Iceberg's CatalogTests with everything switched on that can be asked over REST. */
public class MainstemCatalogTests extends CatalogTests<RESTCatalog> {
  /** They are about specs and schemas that no snapshot uses any more, so they expire snapshots. */
  private static final Set<String> EXPIRING =
      Set.of("testRemoveUnusedSpec", "testRemoveUnusedSchemas");

  /**
   * It moves a metadata file away. A metadata file never changes, so a server that has read or
   * written one answers from memory; what happens when it has to look is told by one that has not.
   */
  private static final String MISSING_FILE = "testLoadTableWithMissingMetadataFile";

  private RESTCatalog catalog;

  @BeforeEach
  void open(TestInfo test) {
    String name = test.getTestMethod().orElseThrow().getName();
    String server = name.equals(MISSING_FILE) ? Server.FORGETFUL : Server.USUAL;
    UnaryOperator<RESTClient> wrap =
        EXPIRING.contains(name) ? Deleting::client : UnaryOperator.identity();
    catalog = Server.open(server, "mainstem", Map.of(), wrap);
    Server.clear(catalog);
  }

  @AfterEach
  void close() throws IOException {
    catalog.close();
  }

  /** Upstream's can move a local file only; in an object store the same is a copy. */
  @Override
  @Test
  public void testLoadTableWithMissingMetadataFile(@TempDir Path directory) throws IOException {
    if (Server.location().startsWith("file:")) {
      super.testLoadTableWithMissingMetadataFile(directory);
      return;
    }
    catalog.createNamespace(TBL.namespace());
    Table table = catalog.buildTable(TBL, SCHEMA).create();
    String location = ((BaseTable) table).operations().current().metadataFileLocation();
    table.io().deleteFile(location);
    assertThatThrownBy(() -> catalog.loadTable(TBL))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("Failed to open input stream for file: " + location);
  }

  @Override
  protected RESTCatalog catalog() {
    return catalog;
  }

  @Override
  protected RESTCatalog initCatalog(String name, Map<String, String> properties) {
    return Server.open(name, properties);
  }

  @Override
  protected String baseTableLocation(TableIdentifier identifier) {
    return Server.location() + "/" + identifier.namespace() + "/" + identifier.name();
  }

  @Override
  protected boolean requiresNamespaceCreate() {
    return true;
  }

  @Override
  protected boolean supportsServerSideRetry() {
    return true;
  }

  @Override
  protected boolean supportsNestedNamespaces() {
    return true;
  }

  @Override
  protected boolean supportsNamesWithSlashes() {
    return true;
  }

  @Override
  protected boolean supportsNamesWithDot() {
    return true;
  }
}
