"""The public names, gathered; the modules below are not part of the interface."""

from pathway._engine import Pointer as Pointer
