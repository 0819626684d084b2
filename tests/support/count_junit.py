"""Prints "passed failed" of a JUnit report. A skipped or disabled test counts as failed: what was
not run was not shown to work."""
import sys
import xml.etree.ElementTree as tree

cases = list(tree.parse(sys.argv[1]).getroot().iter("testcase"))
bad = [case for case in cases
       if case.get("status") in ("fail", "notrun", "disabled")
       or any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))]
print(len(cases) - len(bad), len(bad))
