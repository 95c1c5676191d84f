"""The chart of the README: a group of bars for each work, as times of the speed of Node json."""

from html import escape

from table import Column, ratio_to_base, short

# (cell, figure, title for the reader)
GROUPS = [
    ("w1.one", "rate", "Ping-pong, both ends on one core: round trips a second"),
    ("w2.built", "rate", "One way, 80 bytes each: messages a second"),
    ("w3.built", "rate", "Echo, 1 000 on their way: messages a second"),
    ("w4.large", "mb_rate", "Echo of an array of 1 MiB: MB a second"),
    ("w6.built", "rate", "Echo over 8 children: messages a second"),
]
# Leaves out the limits that no message layer reaches: they would dwarf the rest.
BARS = ["tine", "uv", "zmq", "nng", "bun", "node", "deno", "python"]

WIDTH, NAMES, ROW, TITLE, GAP = 760, 190, 20, 26, 14
LONGEST = WIDTH - NAMES - 150  # room for the figures after the bar

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .figure { fill: #59636e }
  rect { fill: #aab4c0 }
  .tine { fill: #1a7f64 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .figure { fill: #9198a1 }
    rect { fill: #4c5662 }
    .tine { fill: #3fb68b }
  }
"""


def bars_of(column, peers, results):
    """Returns [(peer, ratio, text)] for the peers that have a figure."""
    shown = [peer for name in BARS for peer in peers if peer.name == name]
    ratios = [(peer, ratio_to_base(column, peer, results)) for peer in shown]
    return [
        (peer, ratio, column.text(peer, results)) for peer, ratio in ratios if ratio is not None
    ]


def group(top, title, bars):
    """Returns the lines of one group, and where it ends."""
    lines = [f'<text class="title" x="0" y="{top + 14}">{escape(title)}</text>']
    longest = max(ratio for _, ratio, _ in bars)
    top += TITLE
    for peer, ratio, text in bars:
        length = max(1, round(LONGEST * ratio / longest))
        kind = ' class="tine"' if peer.name == "tine" else ""
        lines += [
            f'<text x="{NAMES - 10}" y="{top + 13}" text-anchor="end">{escape(peer.title)}</text>',
            f'<rect{kind} x="{NAMES}" y="{top + 2}" width="{length}" height="{ROW - 6}" rx="2"/>',
            f'<text class="figure" x="{NAMES + length + 8}" y="{top + 13}">{escape(text)}</text>',
        ]
        top += ROW
    return lines, top + GAP


def chart(cells, peers, results):
    lines, top = [], 0
    for cell in cells:
        for name, figure, title in GROUPS:
            if cell.name != name:
                continue
            bars = bars_of(Column(cell, figure), peers, results)
            if bars:
                more, top = group(top, title, bars)
                lines += more
    note = "In brackets: how many times as fast as Node json in the same run."
    lines.append(f'<text class="figure" x="0" y="{top + 10}">{note}</text>')
    body = "\n".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 20}" '
        f'width="{WIDTH}" height="{top + 20}" role="img" '
        f'aria-label="tine and its peers, beside Node">\n'
        f"<style>{STYLE}</style>\n{body}\n</svg>\n"
    )
