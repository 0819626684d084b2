"""What has been judged so far: one line a mutant, in ledger.txt, sorted by file.

    <first 12 digits of the SHA-256 of its name> <file> <verdict> <test that noticed it, or ->

A verdict holds for the text of the mutant; lines whose mutant no longer exists (its code changed) are dropped.
"""
import hashlib
from collections import Counter, defaultdict
from pathlib import Path

LEDGER = Path(__file__).parent / 'ledger.txt'
KINDS = ('unit', 'scenario', 'replay', 'explore', 'simulation')


def number_of(mutant):
    return hashlib.sha256(mutant.name.encode()).hexdigest()[:12]


def kind_of(test):
    """The kind of test that a program is, by its name."""
    for word, kind in (('replay', 'replay'), ('explore', 'explore'), ('simulation', 'simulation'), ('scenario', 'scenario')):
        if word in test:
            return kind
    return 'unit'


class Ledger:
    def __init__(self, everything):
        self.mutants = {number_of(m): m for m in everything}
        self.verdicts = {}
        for line in LEDGER.read_text().splitlines() if LEDGER.exists() else ():
            number, _, verdict, test = line.split()
            if number in self.mutants:
                self.verdicts[number] = (verdict, '' if test == '-' else test)

    def knows(self, mutant):
        return number_of(mutant) in self.verdicts

    def add(self, mutant, verdict, test):
        self.verdicts[number_of(mutant)] = (verdict, test.split(' ')[0])
        self.write()

    def write(self):
        lines = sorted((self.mutants[n].path, n, *v) for n, v in self.verdicts.items())
        LEDGER.write_text(''.join(f'{n} {path} {verdict} {test or "-"}\n' for path, n, verdict, test in lines))

    def kills(self, path=None):
        """How many mutants each test noticed: all of them, or those of one file."""
        return Counter(test for n, (verdict, test) in self.verdicts.items()
                       if verdict == 'killed' and path in (None, self.mutants[n].path))

    def survivors(self):
        return [self.mutants[n] for n, (verdict, _) in self.verdicts.items() if verdict == 'survived']

    def table(self, reasons):
        """Markdown: a row a file, and the sum of all."""
        head = ('file', 'mutants', 'judged', *KINDS, 'same code', 'survived', 'of these gaps')
        rows, there = defaultdict(Counter), Counter(m.path for m in self.mutants.values())
        for number, (verdict, test) in self.verdicts.items():
            mutant = self.mutants[number]
            row = rows[mutant.path]
            if verdict == 'no-compile':
                there[mutant.path] -= 1
                continue
            row['judged'] += 1
            row[kind_of(test) if verdict == 'killed' else {'same': 'same code'}.get(verdict, verdict)] += 1
            row['of these gaps'] += verdict == 'survived' and reasons.get(mutant.name, 'Gap').startswith('Gap')
        for path in there:
            rows[path]['mutants'] = there[path]
        total = sum(rows.values(), Counter())
        shown = [(path.replace('services/coordinator/', ''), row) for path, row in sorted(rows.items())] + [('all', total)]
        lines = [head, ('---',) + ('--:',) * (len(head) - 1)]
        lines += [(name, *(str(row[column] or '') for column in head[1:])) for name, row in shown]
        return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)
