import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs many command-line classes in one JVM, whose start costs more than what they do. Each line of the standard input is a
 * command as JSON (class, args, input); each is answered by a line (code, out, err).
 */
public final class ToolServer {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What a tool said first: some catch their own exit and then say 1. */
    private static Integer exitCode;

    private static final class Exited extends Error {
        Exited() {
            super(null, null, false, false);
        }
    }

    private static void exit(int code) {
        if (exitCode == null) exitCode = code;
        throw new Exited();
    }

    public static void main(String[] args) throws Exception {
        Exit.setExitProcedure((code, message) -> exit(code));
        Exit.setHaltProcedure((code, message) -> exit(code));
        Exit.setShutdownHookAdder((name, hook) -> { });
        PrintStream answers = System.out;
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            answers.println(JSON.writeValueAsString(run(JSON.readTree(line))));
            answers.flush();
        }
        System.exit(0);
    }

    private static Map<String, Object> run(JsonNode command) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        System.setIn(new ByteArrayInputStream(command.get("input").asText().getBytes(StandardCharsets.UTF_8)));
        PrintStream outStream = new PrintStream(out, true, StandardCharsets.UTF_8);
        PrintStream errStream = new PrintStream(err, true, StandardCharsets.UTF_8);
        System.setOut(outStream);
        System.setErr(errStream);
        int code = call(command, errStream);
        outStream.flush();
        errStream.flush();
        return Map.of("code", code, "out", out.toString(StandardCharsets.UTF_8), "err", err.toString(StandardCharsets.UTF_8));
    }

    private static int call(JsonNode command, PrintStream err) throws Exception {
        String[] args = JSON.convertValue(command.get("args"), String[].class);
        exitCode = null;
        try {
            Class.forName(command.get("class").asText()).getMethod("main", String[].class).invoke(null, (Object) args);
            return exitCode == null ? 0 : exitCode;
        } catch (InvocationTargetException thrown) {
            if (exitCode != null) return exitCode;
            thrown.getCause().printStackTrace(err);
            return 1;
        }
    }
}
