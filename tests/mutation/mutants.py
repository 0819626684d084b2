"""The small ways in which a C source can be broken, in a fixed order.

A mutant is known by its file, its operator and its text, not by its line: editing elsewhere in
a file neither renames it nor takes it out of a sample.
"""
import hashlib
import re
from collections import Counter, namedtuple

Mutant = namedtuple('Mutant', 'path operator start end text name line')

KEYWORDS = {'if', 'for', 'while', 'switch', 'return', 'sizeof', 'do', 'else', 'case', 'goto', 'break'}
# What only the sanitizers can see: memory given back, and the words of the log.
UNSEEN = ('free', 'arena_release', 'arena_reset', 'LOG', 'assert')

SWAPS = {'==': '!=', '!=': '==', '<=': '<', '>=': '>', '&&': '||', '||': '&&', '<': '<=', '>': '>='}


def masked(source):
    """The source with comments, strings and preprocessor lines blanked, byte for byte."""
    blank = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|^#(?:[^\n]*\\\n)*[^\n]*',
                       re.S | re.M)
    return blank.sub(lambda m: re.sub(r'[^\n]', '_' if m.group()[0] in '"\'' else ' ', m.group()), source)


def closing(text, opening):
    """The place after the parenthesis that closes the one at `opening`."""
    depth = 0
    for at in range(opening, len(text)):
        depth += {'(': 1, ')': -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    return len(text)


def conditions(text, source):
    for found in re.finditer(r'\b(?:if|while) (\()', text):
        start, end = found.start(1), closing(text, found.start(1))
        yield 'negate', start, end, f'(!{source[start:end]})'


def comparisons(text, source):
    for found in re.finditer(r' (==|!=|<=|>=|&&|\|\||<|>)(?=\s)', text):
        yield 'swap', found.start(1), found.end(1), SWAPS[found.group(1)]


def constants(text, source):
    for found in re.finditer(r'(?<![\w.])(\d+)(?![\w.])|\b(true|false)\b', text):
        if re.search(r'struct error \w+ = \{ $', text[:found.start()]):
            continue  # The text of an error is written before it is read.
        if found.group(2):
            yield 'constant', *found.span(), 'false' if found.group(2) == 'true' else 'true'
        else:
            yield 'constant', *found.span(), str(int(found.group(1)) + 1)


def statements(text, source):
    call = re.compile(r'^ {4,}((?:\(void\))?([A-Za-z_]\w*)\()', re.M)
    for found in call.finditer(text):
        end = closing(text, found.end(1) - 1)
        if found.group(2) in KEYWORDS or found.group(2) in UNSEEN or text[end:end + 1] != ';':
            continue
        if re.match(r'[^;{}]*[,(=?:&|]\s*$', text[text.rfind('\n', 0, found.start() - 1) + 1:found.start()]):
            continue  # The rest of a longer expression.
        yield 'drop', found.start(1), end, ''
    for found in re.finditer(r'^ {4,}([*\w][\w.\[\]]*(?:->[\w.\[\]]+)*(?: [-+|&]?= [^;{}]*|\+\+|--));', text, re.M):
        yield 'drop', *found.span(1), ''


def cases(text, source):
    for found in re.finditer(r'^ +(case [^:\n]+:)$', text, re.M):
        yield 'skip', *found.span(1), ''


def rows(text, source):
    """A row of a table."""
    for found in re.finditer(r'^ {4,}(\{ [^{}\n]* \},)$', text, re.M):
        yield 'row', *found.span(1), ''


def of_source(path, source):
    text = masked(source)
    body = text.find('\n{')  # Declarations before the first function or table stay as they are.
    first_table = text.find('= {')
    first = min([at for at in (body, first_table) if at >= 0], default=len(text))
    found = [m for make in (conditions, comparisons, constants, statements, cases, rows) for m in make(text, source)]
    twice = Counter()
    for operator, start, end, new in sorted(found, key=lambda m: (m[1], m[0])):
        if start < first:
            continue
        left, right = source.rfind('\n', 0, start) + 1, source.find('\n', start)
        before = ' '.join(source[left:max(right, end)].split())
        after = ' '.join((source[left:start] + new + source[end:max(right, end)]).split())
        plain = f'{path}: {operator}: {before} => {after}'
        twice[plain] += 1
        name = plain.strip() if twice[plain] == 1 else f'{plain} #{twice[plain]}'
        yield Mutant(path, operator, start, end, new, name, source.count('\n', 0, start) + 1)


def sample(mutants, each, seed):
    """The same ones for the same seed: that many of each file (0: all), first one of every file, then a second ..."""
    def place(mutant):
        return hashlib.sha256(f'{seed}/{mutant.name}'.encode()).hexdigest()
    taken, chosen = Counter(), []
    for mutant in sorted(mutants, key=place):
        taken[mutant.path] += 1
        if each == 0 or taken[mutant.path] <= each:
            chosen.append((taken[mutant.path], mutant))
    return [mutant for _, mutant in sorted(chosen, key=lambda pair: pair[0])]
