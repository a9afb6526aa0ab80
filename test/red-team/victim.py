"""A program of the human's that holds secrets in its environment, arguments, memory, an open file, shared memory and message queues. Started by machine.ts.

Reads two secrets from its standard input, prints the address of the first, and waits."""
import ctypes
import os
import sys
import time

SET_PTRACER, ANYBODY = 0x59616D61, ctypes.c_ulong(2**64 - 1)
SHM_KEY, QUEUE_KEY, CREATE = 0x7ED7EA, 0x7ED7EB, 0o1600

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
# Where the kernel lets only parents trace (yama), this one lets everybody.
libc.prctl(SET_PTRACER, ANYBODY, 0, 0, 0)
opened = open(sys.argv[1])
in_memory = ctypes.create_string_buffer(sys.stdin.readline().strip().encode())
shared = sys.stdin.readline().strip().encode()
segment = libc.shmget(SHM_KEY, 4096, CREATE)
ctypes.memmove(libc.shmat(segment, None, 0), shared, len(shared))
queue = libc.msgget(QUEUE_KEY, CREATE)
message = ctypes.create_string_buffer(b"\x01" + b"\0" * 7 + shared)
for _ in range(4):
    libc.msgsnd(queue, message, len(shared), 0)
rt = ctypes.CDLL("librt.so.1", use_errno=True)
posix = rt.mq_open(b"/red-team", os.O_CREAT | os.O_RDWR, 0o600, None)
for _ in range(4):
    rt.mq_send(posix, shared, len(shared), 0)
print(ctypes.addressof(in_memory), opened.fileno(), flush=True)
while True:
    time.sleep(60)
