"""A TCP relay to an sshd that breaks in every way a network does: what the fault tests put between server and cluster."""

from __future__ import annotations

import contextlib
import socket
import threading

_CHUNK = 65536


class Wire:
    """Listens on a loopback port of its own and passes everything on, until it is told to break.

    Args:
        host: where it leads.
        port: likewise.
    """

    def __init__(self, host, port):
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self.listener.getsockname()[1]
        self.lag_s = 0.0
        self.refusing = False
        self._flows = threading.Event()
        self._flows.set()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._pairs = []
        self._up_left = self._back_left = None
        self.hits = 0
        """How often an armed cut met something to cut."""
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    # --- what may happen

    def cut(self):
        """Both ends see the connection end."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                _shut(end, socket.SHUT_RDWR)

    def half_close(self, towards_server):
        """One end sees the other's end of the conversation, and may still speak."""
        with self._lock:
            pairs = list(self._pairs)
        for client, server in pairs:
            _shut(server if towards_server else client, socket.SHUT_WR)

    def cut_after_sent(self, size):
        """Pass so many bytes more to the cluster, then cut: in the middle of a request, or right behind it."""
        self._up_left = size

    def cut_before_answer(self, size):
        """Pass so many bytes more back, then cut: the request was carried out, its answer is lost."""
        self._back_left = size

    def stall(self):
        """Nothing passes, nothing ends."""
        self._flows.clear()

    def flow(self):
        """The end of ``stall``, of ``lag_s``, of ``refusing`` and of what is armed."""
        self.lag_s, self.refusing = 0.0, False
        self._up_left = self._back_left = None
        self._flows.set()

    def close(self):
        """For good."""
        self._ended.set()
        self._flows.set()
        # What waits in accept() does not see a close.
        _shut(self.listener, socket.SHUT_RDWR)
        self.listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    # --- the relay

    def _accept(self):
        while not self._ended.is_set():
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                if self.refusing:
                    raise ConnectionRefusedError
                server = socket.create_connection(self.target, timeout=5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            pair = (client, server)
            with self._lock:
                self._pairs.append(pair)
            thread = threading.Thread(target=self._both, args=pair, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _both(self, client, server):
        up = threading.Thread(target=self._relay, args=(client, server, True), daemon=True)
        up.start()
        self._relay(server, client, False)
        up.join()
        with self._lock:
            if (client, server) in self._pairs:
                self._pairs.remove((client, server))
        client.close()
        server.close()

    def _relay(self, source, sink, up):
        try:
            while data := source.recv(_CHUNK):
                if self.lag_s:
                    self._ended.wait(self.lag_s)
                self._flows.wait()
                data, last = self._share(data, up)
                sink.sendall(data)
                if last:
                    self.cut()
                    return
        except OSError:
            pass
        _shut(sink, socket.SHUT_WR)

    def _share(self, data, up):
        """What of it passes before an armed cut, and whether that is now."""
        with self._lock:
            left = self._up_left if up else self._back_left
            if left is None:
                return data, False
            passed = data[:left]
            if up:
                self._up_left = left - len(passed) or None
            else:
                self._back_left = left - len(passed) or None
            last = len(passed) == left
            self.hits += last
            return passed, last


def _shut(end, how):
    with contextlib.suppress(OSError):
        end.shutdown(how)
