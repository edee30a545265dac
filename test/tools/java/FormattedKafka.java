import java.util.Arrays;
import kafka.Kafka;
import kafka.tools.StorageTool;

/** A node that formats its storage first: one JVM for what would take two. Arguments: server.properties, then those of kafka-storage. */
public final class FormattedKafka {
    public static void main(String[] args) {
        int code = StorageTool.execute(Arrays.copyOfRange(args, 1, args.length), System.out);
        if (code != 0) System.exit(code);
        Kafka.main(Arrays.copyOf(args, 1));
    }
}
