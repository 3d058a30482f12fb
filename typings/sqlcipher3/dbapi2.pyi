"""sqlcipher3 has the interface of the standard library's sqlite3, with more pragmas."""

from sqlite3 import *
