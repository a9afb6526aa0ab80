"""Shows bytes in VTE, as GNOME Terminal does: a JSON object a line in, one out. Started by vte-outside.test.ts.

In: cols, rows, bytes (base64); or steps in place of bytes, each with bytes or with cols and rows, of a terminal that is on no screen. Out: the text of each row, the cursor, and a hash of what the last row looks like once it shows something.
"""
import base64
import hashlib
import json
import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Vte", "2.91")
from gi.repository import Gdk, GLib, Gtk, Vte  # noqa: E402

PATIENCE_MS = 20_000
STEP_MS = 5
EDGE = 3


def wait(done):
    """Lets GTK work until `done`, or not longer than anybody waits."""
    for _ in range(PATIENCE_MS // STEP_MS):
        if done():
            return
        loop = GLib.MainLoop()
        GLib.timeout_add(STEP_MS, loop.quit)
        loop.run()
    sys.exit("VTE did not come to an end")


def feed(terminal, text, mark):
    """Titles are set in turn: once that one is there, all before it was read. CAN ends what stands open."""
    terminal.feed(text + b"\x18\x1b]2;" + mark.encode() + b"\x07")
    wait(lambda: terminal.get_window_title() == mark)


def look(window, terminal):
    """The last row as it is drawn, without its upper edge, onto which the cursor's frame of the row above reaches; None while it is blank."""
    height = terminal.get_char_height() - EDGE
    width = terminal.get_char_width() * terminal.get_column_count()
    top = terminal.get_char_height() * (terminal.get_row_count() - 1)
    row = Gdk.pixbuf_get_from_window(window.get_window(), 1, 1 + top + EDGE, width, height)
    pixels = row.get_pixels()
    channels = row.get_n_channels()
    starts = [y * row.get_rowstride() for y in range(height)]
    lines = b"".join(pixels[start : start + width * channels] for start in starts)
    return None if lines == lines[:channels] * (width * height) else hashlib.sha256(lines).hexdigest()


def rows_of(terminal, count):
    # VTE counts rows from the top of the scrollback.
    feed(terminal, b"\x1b[?6l\x1b[H", "home")
    top = terminal.get_cursor_position()[1]
    texts = [terminal.get_text_range(y, 0, y, terminal.get_column_count(), None, None) for y in range(top, top + count)]
    return top, [(text[0] if isinstance(text, tuple) else text).rstrip() for text in texts]


def play(case):
    """Sizes change between what is shown: without a window, whose own size would have to follow."""
    terminal = Vte.Terminal()
    terminal.set_size(case["cols"], case["rows"])
    for number, step in enumerate(case["steps"]):
        if "cols" in step:
            terminal.set_size(step["cols"], step["rows"])
        else:
            feed(terminal, base64.b64decode(step["bytes"]), f"step {number}")
    column, line = terminal.get_cursor_position()
    top, rows = rows_of(terminal, terminal.get_row_count())
    return {"rows": rows, "cursor": [line - top, column], "last": None}


def show(case):
    window = Gtk.Window()
    terminal = Vte.Terminal()
    terminal.set_cursor_blink_mode(Vte.CursorBlinkMode.OFF)
    terminal.set_size(case["cols"], case["rows"])
    window.add(terminal)
    window.show_all()
    wait(lambda: (terminal.get_column_count(), terminal.get_row_count()) == (case["cols"], case["rows"]))
    feed(terminal, base64.b64decode(case["bytes"]), "shown")
    column, line = terminal.get_cursor_position()
    wait(lambda: look(window, terminal) is not None or not case["bar"])
    last = look(window, terminal)
    top, rows = rows_of(terminal, case["rows"])
    window.destroy()
    return {"rows": rows, "cursor": [line - top, column], "last": last}


for request in sys.stdin:
    case = json.loads(request)
    print(json.dumps(play(case) if "steps" in case else show(case)), flush=True)
