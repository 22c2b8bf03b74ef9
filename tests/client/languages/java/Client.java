import io.socket.client.IO;
import io.socket.client.Socket;
import java.net.URI;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The stock client of Java: says on each line what happens to it, and ends when it will not come back.
 *
 * <p>Client.java URL TRANSPORT TOKEN LATER: signs in with TOKEN, and with LATER whenever it comes back.
 */
public class Client {
  public static void main(String[] args) {
    Map<String, String> auth = new HashMap<>(Map.of("token", args[2]));
    IO.Options options = IO.Options.builder()
        .setTransports(new String[] {args[1]})
        .setReconnectionDelay(50)
        .setReconnectionDelayMax(200)
        .setAuth(auth)
        .build();
    Socket socket = IO.socket(URI.create(args[0]), options);
    socket.on(Socket.EVENT_CONNECT, nothing -> {
      auth.put("token", args[3]);
      System.out.println("connect");
    });
    socket.on(Socket.EVENT_CONNECT_ERROR, error -> System.out.println("connect_error " + Arrays.toString(error)));
    socket.on(Socket.EVENT_DISCONNECT, reason -> {
      System.out.println("disconnect " + reason[0]);
      if (!socket.isActive()) System.exit(0);
    });
    socket.connect();
  }
}
