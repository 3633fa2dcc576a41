import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Base64;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * The client of versions.py in Java. It reads requests, a line each, and writes what it saw of the answers; versions_client.mjs says how.
 *
 * <p>Usage: java VersionsClient 1.1|2 URL FILE
 */
public class VersionsClient {
    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    public static void main(String[] arguments) throws Exception {
        HttpClient.Builder builder = HttpClient.newBuilder()
            .version(arguments[0].equals("2") ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(TIMEOUT);
        if (System.getenv("CA_FILE") != null) builder.sslContext(trusting(Path.of(System.getenv("CA_FILE"))));
        HttpClient client = builder.build();
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        PrintStream print = new PrintStream(output, false, StandardCharsets.UTF_8);
        for (String line : Files.readAllLines(Path.of(arguments[2]))) {
            String[] parts = line.split("\t");
            print.println("case " + parts[0]);
            try {
                write(print, client.send(request(arguments[1], parts), HttpResponse.BodyHandlers.ofByteArray()));
            } catch (Exception error) {
                print.println("error " + error);
            }
        }
        print.flush();
        System.out.write(output.toByteArray());
        System.out.flush();
        System.exit(0);
    }

    private static SSLContext trusting(Path file) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (var stream = Files.newInputStream(file)) {
            store.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(stream));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }

    private static HttpRequest request(String base, String[] parts) throws Exception {
        HttpRequest.BodyPublisher body = parts[3].equals("-")
            ? HttpRequest.BodyPublishers.noBody()
            : HttpRequest.BodyPublishers.ofFile(Path.of(parts[3]));
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + parts[2])).timeout(TIMEOUT).method(parts[1], body);
        for (int i = 4; i < parts.length; i++) {
            int equals = parts[i].indexOf('=');
            request.header(parts[i].substring(0, equals), parts[i].substring(equals + 1));
        }
        return request.build();
    }

    private static void write(PrintStream print, HttpResponse<byte[]> response) {
        print.println("version " + (response.version() == HttpClient.Version.HTTP_2 ? "2" : "1.1"));
        print.println("status " + response.statusCode());
        response.headers().map().forEach((name, values) -> {
            if (name.startsWith(":")) return;
            for (String value : values) {
                byte[] bytes = value.getBytes(StandardCharsets.ISO_8859_1);
                print.println("field " + name + " " + Base64.getEncoder().encodeToString(bytes));
            }
        });
        print.println("body " + Base64.getEncoder().encodeToString(response.body()));
    }
}
