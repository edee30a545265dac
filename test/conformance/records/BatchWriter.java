import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** Writes a batch a codec, as the Java producer builds it, to the directory given: {@code <codec>.batch}. */
public final class BatchWriter {
    public static void main(String[] args) throws Exception {
        for (CompressionType type : CompressionType.values()) {
            SimpleRecord[] records = new SimpleRecord[3000];
            for (int i = 0; i < records.length; i++) {
                Header[] headers = {new RecordHeader("index", utf8("h" + i)), new RecordHeader("none", (byte[]) null)};
                byte[] key = i % 3 == 0 ? null : utf8("key-" + i);
                byte[] value = i % 5 == 0 ? null : utf8("value " + (i * 7919) + " of Grüße");
                records[i] = new SimpleRecord(1700000000000L + i, key, value, headers);
            }
            MemoryRecords batch = MemoryRecords.withRecords(Compression.of(type).build(), records);
            ByteBuffer buffer = batch.buffer().duplicate();
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            Files.write(Path.of(args[0], type.name + ".batch"), bytes);
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
