"""The search site at a million documents, and what else people try: `make bench BENCH=search`.

Everything is in search_site.py: a module that is called like this file is what it measures.
"""

import sys

from search_site import main

if __name__ == "__main__":
    sys.exit(main())
