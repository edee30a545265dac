import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.lang.reflect.Field;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.metadata.MetadataRecordSerde;
import org.apache.kafka.server.common.ApiMessageAndVersion;

/**
 * Apache Kafka's own codecs behind a pipe. A question: byte operation, UTF schema name, short version, int length, payload. An answer:
 * byte 0 and int length, bytes; or byte 1 and UTF message. Operations: 0 decode the payload and encode it again; 1 the same within the
 * frame of the metadata log; 2 generate a message from the seed that is the payload, and encode it; 3 the table of APIs and of error codes.
 */
public final class Reference {
    private static final String[] PACKAGES = {
        "org.apache.kafka.common.message.",
        "org.apache.kafka.common.metadata.",
        "org.apache.kafka.coordinator.group.generated.",
        "org.apache.kafka.coordinator.share.generated.",
        "org.apache.kafka.coordinator.transaction.generated.",
        "org.apache.kafka.raft.generated.",
        "org.apache.kafka.server.log.remote.metadata.storage.generated.",
    };

    private final Random random = new Random();

    public static void main(String[] args) throws Exception {
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in, 1 << 16));
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 16));
        Reference reference = new Reference();
        while (true) {
            byte operation;
            try {
                if (in.available() == 0) out.flush();
                operation = in.readByte();
            } catch (EOFException e) {
                out.flush();
                return;
            }
            String name = in.readUTF();
            short version = in.readShort();
            byte[] payload = new byte[in.readInt()];
            in.readFully(payload);
            try {
                byte[] answer = reference.answer(operation, name, version, ByteBuffer.wrap(payload));
                out.writeByte(0);
                out.writeInt(answer.length);
                out.write(answer);
            } catch (Throwable e) {
                out.writeByte(1);
                out.writeUTF(String.valueOf(e));
            }
        }
    }

    private byte[] answer(byte operation, String name, short version, ByteBuffer payload) throws Exception {
        switch (operation) {
            case 0: {
                Message message = create(name);
                message.read(new ByteBufferAccessor(payload), version);
                if (payload.hasRemaining()) throw new IllegalStateException(payload.remaining() + " bytes left");
                return encode(message, version);
            }
            case 1: {
                ApiMessageAndVersion record =
                    MetadataRecordSerde.INSTANCE.read(new ByteBufferAccessor(payload), payload.remaining());
                ObjectSerializationCache cache = new ObjectSerializationCache();
                ByteBuffer buffer = ByteBuffer.allocate(MetadataRecordSerde.INSTANCE.recordSize(record, cache));
                MetadataRecordSerde.INSTANCE.write(record, cache, new ByteBufferAccessor(buffer));
                return buffer.array();
            }
            case 3:
                return (name.equals("errors") ? errors() : apis()).getBytes(StandardCharsets.UTF_8);
            default: {
                random.setSeed(payload.getLong());
                Message message = create(name);
                fill(message, (Schema) message.getClass().getField("SCHEMA_" + version).get(null));
                return encode(message, version);
            }
        }
    }

    private static String errors() {
        StringBuilder text = new StringBuilder();
        for (Errors error : Errors.values()) {
            boolean isRetriable = error.exception() instanceof RetriableException;
            text.append(error.code() + " " + error.name() + " " + isRetriable + "\n");
        }
        return text.toString();
    }

    /** A line for each version of each API. */
    private static String apis() {
        StringBuilder text = new StringBuilder();
        for (ApiKeys api : ApiKeys.values()) {
            for (short version : api.allVersions()) {
                String listeners = "";
                if (api.inScope(ApiMessageType.ListenerType.BROKER)) listeners += " broker";
                if (api.inScope(ApiMessageType.ListenerType.CONTROLLER)) listeners += " controller";
                if (listeners.isEmpty()) continue;
                text.append(api.id + " " + api.name + " " + version + " " + api.requestHeaderVersion(version) + " "
                    + api.responseHeaderVersion(version) + " " + api.forwardable + " " + api.clusterAction
                    + listeners + "\n");
            }
        }
        return text.toString();
    }

    private static Message create(String name) throws Exception {
        for (String prefix : PACKAGES) {
            for (String suffix : new String[] {"Data", ""}) {
                try {
                    return (Message) Class.forName(prefix + name + suffix).getConstructor().newInstance();
                } catch (ClassNotFoundException e) {
                    // In another package.
                }
            }
        }
        throw new ClassNotFoundException(name);
    }

    private static byte[] encode(Message message, short version) {
        ByteBuffer buffer = MessageUtil.toByteBufferAccessor(message, version).buffer();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    /** Sets each field that the version has; some of the tagged ones. */
    private void fill(Object message, Schema schema) throws Exception {
        for (BoundField bound : schema.fields()) {
            if (bound.def.type instanceof TaggedFields) {
                for (org.apache.kafka.common.protocol.types.Field tagged :
                        ((TaggedFields) bound.def.type).fields().values()) {
                    if (random.nextBoolean()) set(message, tagged.name, tagged.type);
                }
            } else {
                set(message, bound.def.name, bound.def.type);
            }
        }
    }

    private void set(Object message, String name, Type type) throws Exception {
        String wanted = name.replace("_", "");
        for (Field field : message.getClass().getDeclaredFields()) {
            if (!field.getName().equalsIgnoreCase(wanted)) continue;
            field.setAccessible(true);
            field.set(message, value(field.getType(), field.getGenericType(), type));
            return;
        }
        throw new NoSuchFieldException(name);
    }

    private Object value(Class<?> target, java.lang.reflect.Type generic, Type type) throws Exception {
        if (type.isNullable() && random.nextInt(4) == 0) return null;
        if (target == boolean.class) return random.nextBoolean();
        if (target == byte.class || target == Byte.class) return (byte) random.nextInt();
        if (target == short.class || target == Short.class) return (short) random.nextInt();
        if (target == int.class || target == Integer.class) {
            return type == Type.UINT16 ? random.nextInt(1 << 16) : random.nextInt();
        }
        if (target == long.class || target == Long.class) {
            return type == Type.UNSIGNED_INT32 ? random.nextLong() & 0xffffffffL : random.nextLong();
        }
        if (target == double.class) return random.nextGaussian() * 1e9;
        if (target == String.class) return string();
        if (target == Uuid.class) return new Uuid(random.nextLong(), random.nextInt(8) == 0 ? 0 : random.nextLong());
        if (target == byte[].class) return bytes();
        if (target == ByteBuffer.class) return ByteBuffer.wrap(bytes());
        if (Collection.class.isAssignableFrom(target)) return collection(target, generic, type);
        if (Message.class.isAssignableFrom(target)) {
            Object nested = target.getConstructor().newInstance();
            fill(nested, (Schema) type);
            return nested;
        }
        return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes()));
    }

    @SuppressWarnings("unchecked")
    private Object collection(Class<?> target, java.lang.reflect.Type generic, Type type) throws Exception {
        Type elementType = type.arrayElementType().get();
        boolean isList = target == List.class;
        ParameterizedType parameterized = (ParameterizedType) (isList ? generic : target.getGenericSuperclass());
        Class<?> element = (Class<?>) parameterized.getActualTypeArguments()[0];
        Collection<Object> values =
            isList ? new ArrayList<>() : (Collection<Object>) target.getConstructor(int.class).newInstance(4);
        for (int i = random.nextInt(4); i > 0; i--) values.add(value(element, element, elementType));
        return values;
    }

    private String string() {
        int length = random.nextInt(20) == 0 ? 200 : random.nextInt(12);
        int limit = random.nextInt(4) == 0 ? 0xd7ff : 0x7e;
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) text.append((char) (1 + random.nextInt(limit)));
        return text.toString();
    }

    private byte[] bytes() {
        byte[] bytes = new byte[random.nextInt(20) == 0 ? 3000 : random.nextInt(20)];
        random.nextBytes(bytes);
        return bytes;
    }
}
