import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.common.RequestLocal;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.apache.kafka.server.util.KafkaScheduler;
import org.apache.kafka.storage.internals.epoch.LeaderEpochFileCache;
import org.apache.kafka.storage.internals.log.AbortedTxn;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.ProducerStateEntry;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

/**
 * Apache Kafka's log, on its own: {@code write DIR TIME} fills it with records from TIME on, as the test does with the other one,
 * {@code state DIR TIME CLEAN} opens it, after a clean shutdown or not, and prints what it holds.
 */
public final class LogTool {
    private static long baseTimestamp;

    public static void main(String[] args) throws Exception {
        baseTimestamp = Long.parseLong(args[2]);
        if (args[0].equals("write")) write(new File(args[1]));
        else System.out.print(state(open(new File(args[1]), Boolean.parseBoolean(args[3]))));
    }

    private static UnifiedLog open(File directory, boolean clean) throws Exception {
        directory.mkdirs();
        Properties properties = new Properties();
        properties.put("internal.segment.bytes", "20000");
        properties.put("index.interval.bytes", "1000");
        properties.put("segment.index.bytes", "12000");
        KafkaScheduler scheduler = new KafkaScheduler(1);
        scheduler.startup();
        return UnifiedLog.create(directory, new LogConfig(properties), 0L, 0L, scheduler, new BrokerTopicStats(), Time.SYSTEM,
            900000, new ProducerStateManagerConfig(Integer.MAX_VALUE, false), 600000, new LogDirFailureChannel(1), clean,
            Optional.of(Uuid.fromString("cAh3nFQcTQ2nM9yNrl0Ghg")));
    }

    private static void write(File directory) throws Exception {
        UnifiedLog log = open(directory, true);
        CompressionType[] types = CompressionType.values();
        for (int i = 0; i < 300; i++) {
            SimpleRecord[] records = new SimpleRecord[3];
            for (int j = 0; j < 3; j++) {
                String text = "value " + i + " " + j + " " + "x".repeat(i % 90);
                records[j] = new SimpleRecord(baseTimestamp + i * 10 + j, utf8("k" + i), utf8(text));
            }
            log.appendAsLeader(batch(types[i % types.length], i, records), i / 100);
            if (i % 50 == 49) marker(log, i % 100 == 99 ? ControlRecordType.COMMIT : ControlRecordType.ABORT, i);
        }
        log.updateHighWatermark(log.logEndOffset());
        log.close();
    }

    /** Every third batch is of an idempotent producer, every fifth of a transactional one, one of the last stays open. */
    private static MemoryRecords batch(CompressionType type, int i, SimpleRecord[] records) {
        Compression compression = Compression.of(type).build();
        if (i == 290) return MemoryRecords.withTransactionalRecords(compression, 3L, (short) 0, 0, records);
        if (i % 5 == 0) return MemoryRecords.withTransactionalRecords(compression, 2L, (short) 4, i / 5 * 3 - (i > 290 ? 3 : 0), records);
        if (i % 3 == 0) return MemoryRecords.withIdempotentRecords(compression, 1L, (short) 7, sequenceOfOne(i), records);
        return MemoryRecords.withRecords(compression, records);
    }

    private static int sequenceOfOne(int i) {
        int sequence = 0;
        for (int earlier = 0; earlier < i; earlier++) if (earlier % 5 != 0 && earlier % 3 == 0) sequence += 3;
        return sequence;
    }

    private static void marker(UnifiedLog log, ControlRecordType type, int i) throws Exception {
        EndTransactionMarker marker = new EndTransactionMarker(type, 1);
        MemoryRecords records = MemoryRecords.withEndTransactionMarker(baseTimestamp + i * 10, 2L, (short) 4, marker);
        log.appendAsLeader(records, i / 100, AppendOrigin.COORDINATOR, RequestLocal.noCaching(), VerificationGuard.SENTINEL, (short) 1);
    }

    private static String state(UnifiedLog log) throws Exception {
        StringBuilder out = new StringBuilder();
        long end = log.logEndOffset();
        log.updateHighWatermark(end);
        out.append("offsets ").append(log.logStartOffset()).append(' ').append(end).append(' ').append(log.lastStableOffset()).append('\n');
        LeaderEpochFileCache epochs = log.leaderEpochCache();
        epochs.epochEntries().forEach(entry -> out.append("epoch ").append(entry.epoch()).append(' ').append(entry.startOffset()).append('\n'));
        for (ProducerStateEntry entry : new TreeMap<>(log.producerStateManager().activeProducers()).values()) {
            out.append("producer ").append(entry.producerId()).append(' ').append(entry.producerEpoch()).append(' ').append(lastSequence(entry))
                .append(' ').append(entry.lastDataOffset()).append(' ').append(entry.coordinatorEpoch()).append(' ')
                .append(entry.currentTxnFirstOffset().orElse(-1L)).append('\n');
        }
        for (AbortedTxn txn : log.collectAbortedTransactions(0L, end)) {
            out.append("aborted ").append(txn.producerId()).append(' ').append(txn.firstOffset()).append(' ').append(txn.lastOffset())
                .append(' ').append(txn.lastStableOffset()).append('\n');
        }
        for (long time : new long[] {0, baseTimestamp + 1500, baseTimestamp + 2991, baseTimestamp + 5000, -3}) {
            out.append("time ").append(time).append(' ').append(found(log, time)).append('\n');
        }
        for (Record record : records(log)) {
            out.append("record ").append(record.offset()).append(' ').append(record.timestamp()).append(' ')
                .append(StandardCharsets.UTF_8.decode(record.key())).append(' ').append(StandardCharsets.UTF_8.decode(record.value())).append('\n');
        }
        return out.toString();
    }

    private static int lastSequence(ProducerStateEntry entry) {
        return entry.batchMetadata().stream().reduce((earlier, later) -> later).map(batch -> batch.lastSeq()).orElse(-1);
    }

    private static String found(UnifiedLog log, long time) {
        return log.fetchOffsetByTimestamp(time, Optional.empty()).timestampAndOffsetOpt()
            .map(at -> at.timestamp + " " + at.offset + " " + at.leaderEpoch.orElse(-1)).orElse("none");
    }

    private static List<Record> records(UnifiedLog log) throws Exception {
        List<Record> records = new ArrayList<>();
        long offset = log.logStartOffset();
        while (offset < log.logEndOffset()) {
            for (RecordBatch batch : log.read(offset, 1 << 20, FetchIsolation.LOG_END, true).records.batches()) {
                if (!batch.isControlBatch()) batch.forEach(records::add);
                offset = batch.nextOffset();
            }
        }
        return records;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
