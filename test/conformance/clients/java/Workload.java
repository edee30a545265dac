import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The conformance workload on Apache's own client: a plan as JSON on standard input, a report as JSON on standard output. */
public final class Workload {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long DEADLINE_MS = 60_000;

    private static final class Tally {
        int total;
        final Map<Integer, Integer> counts = new TreeMap<>();
        final Map<Integer, MessageDigest> digests = new HashMap<>();

        void add(ConsumerRecord<String, String> record) throws Exception {
            if (!digests.containsKey(record.partition())) {
                digests.put(record.partition(), MessageDigest.getInstance("SHA-1"));
            }
            Header[] headers = record.headers().toArray();
            String header = headers.length == 1 && headers[0].key().equals("h") ? new String(headers[0].value()) : "";
            String line = record.key() + "|" + record.value() + "|" + header + "|" + record.timestamp() + "\n";
            digests.get(record.partition()).update(line.getBytes(StandardCharsets.UTF_8));
            counts.merge(record.partition(), 1, Integer::sum);
            total++;
        }

        Map<String, Object> partitions() {
            Map<String, Object> all = new LinkedHashMap<>();
            counts.forEach((partition, count) -> all.put(String.valueOf(partition),
                Map.of("count", count, "digest", HexFormat.of().formatHex(digests.get(partition).digest()))));
            return all;
        }
    }

    private final JsonNode plan;
    private final int records;
    private final String firstTopic;
    private final String group;

    private Workload(JsonNode plan) {
        this.plan = plan;
        this.records = plan.get("records").asInt();
        this.firstTopic = plan.get("runs").get(0).get("topic").asText();
        this.group = plan.get("client").asText() + "-group";
    }

    public static void main(String[] args) throws Exception {
        Workload workload = new Workload(JSON.readTree(System.in));
        System.out.println(JSON.writeValueAsString(workload.report()));
    }

    private Map<String, Object> report() throws Exception {
        try (Admin admin = Admin.create(config(Map.of()))) {
            List<NewTopic> topics = new ArrayList<>();
            for (JsonNode run : plan.get("runs")) topics.add(new NewTopic(run.get("topic").asText(), Optional.of(3), Optional.empty()));
            admin.createTopics(topics).all().get();
            Map<String, Object> runs = new LinkedHashMap<>();
            for (JsonNode run : plan.get("runs")) {
                produce(run);
                runs.put(run.get("topic").asText(), consume(run));
            }
            Map<String, Object> groupReport = resume();
            Map<String, Object> adminReport = new LinkedHashMap<>(topicReport(admin));
            adminReport.putAll(groupReport(admin));
            return Map.of("runs", runs, "group", groupReport, "admin", adminReport);
        }
    }

    private Map<String, Object> config(Map<String, Object> more) {
        Map<String, Object> config = new HashMap<>(more);
        config.put("bootstrap.servers", plan.get("bootstrap").asText());
        return config;
    }

    private void produce(JsonNode run) throws Exception {
        Map<String, Object> config = config(Map.of(
            "compression.type", run.get("codec").asText(), "acks", run.get("acks").asText(), "linger.ms", 5));
        if (!run.get("acks").asText().equals("all")) config.put("enable.idempotence", false);
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            for (int index = 0; index < records; index++) sent.add(producer.send(record(run.get("topic").asText(), index)));
        }
        for (Future<RecordMetadata> one : sent) one.get();
    }

    private ProducerRecord<String, String> record(String topic, int index) {
        String value = "value-" + index + "-" + "abcdefghij".repeat(index % 10);
        long timestamp = plan.get("baseTimestamp").asLong() + index;
        Header header = new RecordHeader("h", String.valueOf(index).getBytes(StandardCharsets.UTF_8));
        return new ProducerRecord<>(topic, index % plan.get("partitions").asInt(), timestamp, "key-" + index, value, List.of(header));
    }

    private int read(KafkaConsumer<String, String> consumer, Tally tally, int wanted) throws Exception {
        int before = tally.total;
        long deadline = System.currentTimeMillis() + DEADLINE_MS;
        while (tally.total < wanted) {
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(500))) tally.add(record);
            if (System.currentTimeMillis() > deadline) throw new IllegalStateException(tally.total + " of " + wanted + " records");
        }
        return tally.total - before;
    }

    private KafkaConsumer<String, String> consumer(Map<String, Object> more) {
        Map<String, Object> config = config(more);
        config.put("enable.auto.commit", false);
        config.put("auto.offset.reset", "earliest");
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    private Map<String, Object> consume(JsonNode run) throws Exception {
        Tally tally = new Tally();
        try (KafkaConsumer<String, String> consumer = consumer(Map.of())) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (int p = 0; p < plan.get("partitions").asInt(); p++) partitions.add(new TopicPartition(run.get("topic").asText(), p));
            consumer.assign(partitions);
            read(consumer, tally, records);
        }
        return tally.partitions();
    }

    private int member(Tally tally, int wanted) throws Exception {
        try (KafkaConsumer<String, String> consumer = consumer(Map.of("group.id", group, "max.partition.fetch.bytes", 50_000))) {
            consumer.subscribe(List.of(firstTopic));
            int added = read(consumer, tally, wanted);
            consumer.commitSync();
            return added;
        }
    }

    private Map<String, Object> resume() throws Exception {
        Tally tally = new Tally();
        int first = member(tally, records / 3);
        int second = member(tally, records);
        return Map.of("first", first, "second", second, "partitions", tally.partitions());
    }

    private static int partitionsOf(Admin admin, String topic) throws Exception {
        return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
    }

    private static String retention(Admin admin, ConfigResource resource) throws Exception {
        return admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms").value();
    }

    private Map<String, Object> topicReport(Admin admin) throws Exception {
        Map<String, Object> out = new LinkedHashMap<>();
        String topic = plan.get("client").asText() + "-admin";
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        admin.createTopics(List.of(new NewTopic(topic, 2, (short) 1).configs(Map.of("retention.ms", "3600000")))).all().get();
        out.put("created", partitionsOf(admin, topic));
        out.put("retention", retention(admin, resource));
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry("retention.ms", "7200000"), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get();
        out.put("alteredRetention", retention(admin, resource));
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
        out.put("grown", partitionsOf(admin, topic));
        admin.deleteTopics(List.of(topic)).all().get();
        out.put("deleted", !admin.listTopics().names().get().contains(topic));
        return out;
    }

    private boolean listed(Admin admin) throws Exception {
        return admin.listGroups().all().get().stream().anyMatch(one -> one.groupId().equals(group));
    }

    private Map<String, Object> groupReport(Admin admin) throws Exception {
        Map<TopicPartition, OffsetSpec> specs = new HashMap<>();
        long half = plan.get("baseTimestamp").asLong() + records / 2;
        for (int p = 0; p < plan.get("partitions").asInt(); p++) specs.put(new TopicPartition(firstTopic, p), OffsetSpec.forTimestamp(half));
        Map<String, Object> offsets = new TreeMap<>();
        admin.listOffsets(specs).all().get().forEach((key, found) -> offsets.put(String.valueOf(key.partition()), found.offset()));
        Map<String, Object> out = new LinkedHashMap<>(Map.of("offsetsAtHalf", offsets, "groupListed", listed(admin)));
        out.put("groupState", admin.describeConsumerGroups(List.of(group)).all().get().get(group).groupState().toString());
        out.put("committed", admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().values().stream()
            .mapToLong(one -> one.offset()).sum());
        admin.deleteConsumerGroups(List.of(group)).all().get();
        out.put("groupDeleted", !listed(admin));
        return out;
    }
}
