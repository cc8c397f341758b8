from skops.io._persist import dump as dump
from skops.io._persist import dumps as dumps
from skops.io._persist import get_untrusted_types as get_untrusted_types
from skops.io._persist import loads as loads
