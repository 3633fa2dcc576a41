import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * The client of certificates.py in Java: speaks TLS with a server under each of some names, and says what came of it. It trusts what is in
 * its trust store.
 *
 * <p>Usage: java -Djavax.net.ssl.trustStore=FILE CertificatesClient HOST PORT NAME...
 */
public class CertificatesClient {
    private static final int TIMEOUT = 10_000;

    public static void main(String[] arguments) {
        for (int i = 2; i < arguments.length; i++) {
            String name = arguments[i];
            try {
                System.out.println(name + " accepted " + ask(arguments[0], Integer.parseInt(arguments[1]), name));
            } catch (Exception error) {
                System.out.println(name + " refused " + reasons(error));
            }
        }
    }

    private static String ask(String host, int port, String name) throws Exception {
        try (Socket plain = new Socket()) {
            plain.connect(new InetSocketAddress(host, port), TIMEOUT);
            plain.setSoTimeout(TIMEOUT);
            SSLSocket socket = (SSLSocket) ((SSLSocketFactory) SSLSocketFactory.getDefault()).createSocket(plain, name, port, true);
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            String authority = name.contains(":") ? "[" + name + "]" : name;
            String request = "GET / HTTP/1.1\r\nHost: " + authority + "\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            String status = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII)).readLine();
            return status.split(" ")[1];
        }
    }

    /** The message of an error, and of what caused it. */
    private static String reasons(Throwable error) {
        StringBuilder text = new StringBuilder(error.toString());
        for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) text.append("; ").append(cause);
        return text.toString().replace("\n", " ");
    }
}
