"""The style of a run's page and of the list of runs, in light and dark mode."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2129; --quiet: #667085; --line: #d9dde5; --paper: #fff; --bar: #9db4d6;
  --full: #2f6fd0; --good: #1d7a46; --goodpaper: #e2f4e9; --calm: #667085; --calmpaper: #eef0f4; --wait: #8a6100;
  --waitpaper: #fdf3d7; --late: #b04a00; --latepaper: #fde8d9; --bad: #b3261e; --badpaper: #fbe1df; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --quiet: #98a2b3; --line: #363b45; --paper: #14171c;
  --bar: #3f5472; --full: #6ea8ff; --good: #6fd39b; --goodpaper: #17352a; --calm: #98a2b3; --calmpaper: #23272f;
  --wait: #f0c869; --waitpaper: #3a3018; --late: #ffac70; --latepaper: #42291a; --bad: #ff9a92; --badpaper: #4a211f; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.35rem; margin: 0 0 .25rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; overflow-wrap: anywhere; } .quiet { color: var(--quiet); font-size: .9em; }
.badge { font-size: .8rem; padding: .15rem .6rem; border-radius: 1rem; vertical-align: middle; white-space: nowrap; }
.cause { border-left: 4px solid var(--bad); padding: .25rem .75rem; background: var(--badpaper); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .5rem; margin: 1rem 0; }
dl div { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .75rem; }
dt { color: var(--quiet); font-size: .8rem; } dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1rem; }
figure { margin: 0; display: flex; flex-direction: column; } figcaption, .ends { font-size: .85rem; }
figcaption { margin-bottom: auto; } figcaption b { font-weight: 600; } figcaption span { white-space: nowrap; }
figcaption small { display: block; color: var(--quiet); }
.ends { display: flex; justify-content: space-between; color: var(--quiet); }
svg { width: 100%; height: auto; display: block; border-bottom: 1px solid var(--line); }
.bar { fill: var(--bar); } .restated { fill: var(--full); } .hatches { position: absolute; border: 0; }
.ground { fill-opacity: .25; } .bar.preliminary { fill: url(#bar-hatch); }
.restated.preliminary { fill: url(#restated-hatch); }
a { color: inherit; text-decoration-thickness: 1px; text-underline-offset: .15em; }
.scroll { overflow-x: auto; display: flex; }
.scroll::after { content: ""; flex: 0 0 1.5rem; position: sticky; right: 0; pointer-events: none;
  background: linear-gradient(to right, transparent, var(--paper)); }
.sideways { display: none; color: var(--quiet); font-size: .85em; }
@media (max-width: 45rem) { .sideways { display: block; } }
caption { caption-side: top; text-align: left; white-space: normal; color: var(--quiet); padding-bottom: .25rem;
  position: sticky; left: 0; max-width: calc(100vw - 3.5rem); }
table { flex: 0 0 auto; border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: bottom;
  white-space: nowrap; }
.numbers :is(th, td):nth-child(n + 3) { text-align: right; }
.few :is(th, td) { white-space: normal; overflow-wrap: break-word; } .few { flex-shrink: 1; }
.failure { border-left: 4px solid var(--bad); padding: .1rem .75rem; margin: .75rem 0; }
tbody th { font-weight: 500; }
.grid tbody th { position: sticky; left: 0; background: var(--paper); }
.grid small { display: block; color: var(--quiet); max-width: 12rem; overflow: hidden; text-overflow: ellipsis; }
.told { white-space: normal; min-width: 16rem; }
.grid td { text-align: center; }
.turned span { writing-mode: vertical-rl; transform: rotate(180deg); font-weight: 500; }
.good { color: var(--good); background: var(--goodpaper); } .calm { color: var(--calm); background: var(--calmpaper); }
.wait { color: var(--wait); background: var(--waitpaper); } .late { color: var(--late); background: var(--latepaper); }
.bad { color: var(--bad); background: var(--badpaper); }
.legend span { margin-right: 1rem; white-space: nowrap; } .legend b { display: inline-block; width: 1.5em;
  text-align: center; border-radius: .25rem; }
.timing div { display: grid; grid-template-columns: 5rem 1fr 6rem; gap: .5rem; align-items: center; margin: .25rem 0; }
.timing i { display: block; height: .8rem; background: var(--bar); border-radius: .25rem; min-width: 2px; }
"""
