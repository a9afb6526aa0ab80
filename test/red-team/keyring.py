"""Joins a session keyring of its own, puts a secret into it, and becomes the given command. Started by range.sh."""
import ctypes
import os
import platform
import sys

ADD_KEY, KEYCTL = (248, 250) if platform.machine() == "x86_64" else (217, 219)
JOIN_SESSION_KEYRING, SET_PERMISSIONS, SESSION_KEYRING = 1, 5, -3
POSSESSOR_ALONE = 0x3F000000

libc = ctypes.CDLL(None)
libc.syscall(KEYCTL, JOIN_SESSION_KEYRING, b"red-team", 0, 0, 0)
secret = os.environ["RT_KEYRING"].encode()
libc.syscall(ADD_KEY, b"user", b"red-team", secret, len(secret), SESSION_KEYRING)
# Who does not possess it does not even learn that it is there.
key = libc.syscall(ADD_KEY, b"user", b"possessed-alone", secret, len(secret), SESSION_KEYRING)
libc.syscall(KEYCTL, SET_PERMISSIONS, key, POSSESSOR_ALONE, 0, 0)
os.execvp(sys.argv[1], sys.argv[1:])
