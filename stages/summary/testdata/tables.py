# Rebuilds tables/*.csv of a summary from the score files alone, with scikit-learn, SciPy and statsmodels. Prints
# {"compared": numbers, "other": [what differs]}.
import collections, csv, itertools, json, sys, warnings
import numpy as np
from scipy import stats
from scipy.special import gammaln
from sklearn import metrics
from statsmodels.stats.multitest import multipletests

warnings.simplefilter("ignore")  # samples without spread
job = json.load(open(sys.argv[1]))
compared, other = 0, []


def same(where, text, want, within=1e-9):
    """A cell against a number; None is an empty one."""
    global compared
    compared += 1
    if (text == "") != (want is None) or want is not None and not abs(float(text) - want) <= within * max(1, abs(want)):
        other.append(f"{where}: {text or 'empty'}, want {want}")


def table(name):
    return list(csv.DictReader(open(f"{job['tables']}/{name}.csv")))


def acer(y, s, t):
    return (np.mean(s[y == 1] < t) + np.mean(s[y == 0] >= t)) / 2


def components(y, s):
    """DeLong's, by midranks."""
    synthetic, real, rank = s[y == 1], s[y == 0], stats.rankdata(s)
    return [(rank[y == 1] - stats.rankdata(synthetic)) / len(real), 1 - (rank[y == 0] - stats.rankdata(real)) / len(synthetic)]


def delong(v):
    se = np.sqrt(sum(x.var(ddof=1) / len(x) for x in v))
    return v[0].mean(), se if se > 1e-12 else None


def measure(y, s, chosen):
    fpr, tpr, _ = metrics.roc_curve(y, s, drop_intermediate=False)
    gap = 1 - tpr - fpr
    k = np.argmax(gap <= 0)
    u = gap[k - 1] / (gap[k - 1] - gap[k])
    bins = np.searchsorted(np.linspace(0, 1, 11)[1:-1], s)
    a, b = s[y == 1], s[y == 0]
    return {
        "auc": metrics.roc_auc_score(y, s), "eer": (1 - u) * fpr[k - 1] + u * fpr[k],
        "d_prime": (a.mean() - b.mean()) / np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2),
        "accuracy_at_prevalence": job["prevalence"] * np.mean(a > .5) + (1 - job["prevalence"]) * np.mean(b <= .5),
        "ece": sum(abs(s[bins == i].mean() - y[bins == i].mean()) * np.mean(bins == i) for i in set(bins)),
        "acer_chosen": None if chosen is None else acer(y, s, chosen),
    }


def threshold(y, s):
    m, r = int((y == 1).sum()), int((y == 0).sum())
    return -min((int((s[y == 1] < t).sum()) * r + int((s[y == 0] >= t).sum()) * m, -t) for t in np.unique(s))[1]


# What was scored: lists[setting, seed][set] = paths, classes, scores; pooled has every image once.
lists = collections.defaultdict(dict)
network = {}
for run in job["runs"]:
    setting = f"{run['loss']}, arch={run['arch']}"
    network[setting] = run["arch"]
    rows = list(csv.DictReader(open(run["file"])))
    lists[setting, run["seed"]][run["set"]] = ([r["path"] for r in rows], np.array([int(r["label"] == "Synthetic") for r in rows]), np.array([float(r["score"]) for r in rows]))
value = collections.defaultdict(dict)
for key, sets in lists.items():
    first = {}
    for name in job["mean"]:
        for path, y, s in zip(*sets[name]):
            first.setdefault(path, (y, s))
    order = sorted(first, key=lambda p: first[p][0])  # real ones first
    sets["pooled"] = (order, *(np.array([first[p][i] for p in order]) for i in (0, 1)))
    chosen = threshold(*sets["validation"][1:])
    for name, (_, y, s) in sets.items():
        value[key][name] = measure(y, s, None if name == "validation" else chosen)
    value[key]["mean"] = {m: np.mean([value[key][name][m] for name in job["mean"]]) for m in value[key]["pooled"]}

settings = list(network)
seeds = {x: [s for t, s in lists if t == x] for x in settings}
columns = ["u1", "u2", "validation", "mean", "pooled"]
group = lambda c: "sets" if c in job["mean"] else c
baseline = lambda x: f"cross_entropy, arch={network[x]}"
get = lambda x, c, m, over: [v for v in (value[x, s][c][m] for s in over) if v is not None]

for m in job["metrics"]:
    for row in table(m):
        x = f"{row['loss']}, arch={row['arch']}"
        for c in columns:
            v = get(x, c, m, seeds[x])
            same(f"{m}, {x}, {c}: mean", row[c + " mean"], np.mean(v) if v else None)
            same(f"{m}, {x}, {c}: sd", row[c + " sd"], np.std(v, ddof=1) if v else None)


def wilcoxon(d):
    """p by all signs, the smallest p, rank-biserial correlation."""
    d = d[d != 0]
    if len(d) == 0:
        return None, 1, None
    r = stats.rankdata(abs(d))
    seen = abs((r * np.sign(d)).sum())
    p = np.mean([abs(np.dot(r, signs)) >= seen - 1e-9 for signs in itertools.product((-1, 1), repeat=len(d))])
    if len(set(r)) == len(d):
        assert abs(p - stats.wilcoxon(d, method="exact").pvalue) < 1e-12
    return p, 2.0 ** (1 - len(d)), (r * np.sign(d)).sum() / r.sum()


def holm(found, p):
    """Corrects found[i][p] family by family; what is None, or cannot reject, is in none."""
    families = collections.defaultdict(list)
    for f in found:
        f[p + " holm"] = None
        if f[p] is not None and f.get(p + " least", 0) < .05:
            families[f["family"]].append(f)
    for members in families.values():
        for f, v in zip(members, multipletests([f[p] for f in members], method="holm")[1]):
            f[p + " holm"] = v


tests = {}
for m in job["metrics"]:
    for c in columns:
        for x in settings:
            b = baseline(x)
            both = [s for s in seeds[x] if s in seeds[b]]
            u, v = np.array(get(x, c, m, both)), np.array(get(b, c, m, both))
            if x == b or len(u) == 0:
                continue
            d = np.round(u - v, 12)
            t, ci, dz, spread = None, (None, None), None, np.ptp(d) > 0
            if spread:
                t, ci = stats.ttest_rel(u, v), stats.ttest_rel(u, v).confidence_interval()
                t, dz = t.pvalue, (u - v).mean() / (u - v).std(ddof=1)
            wp, least, rb = wilcoxon(d)
            u1, v1 = np.array(get(x, c, m, seeds[x])), np.array(get(b, c, m, seeds[b]))
            df = len(u1) + len(v1) - 2
            pooled = np.sqrt((u1.var(ddof=1) * (len(u1) - 1) + v1.var(ddof=1) * (len(v1) - 1)) / df)
            free = pooled > 1e-12
            g = (u1.mean() - v1.mean()) / pooled * np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / np.sqrt(df / 2) if free else None
            better = d < 0 if m in ("eer", "ece", "acer_chosen") else d > 0
            tests[m, c, x] = {"family": (m, network[x], group(c)), "n": len(u), "difference": (u - v).mean(), "low": ci[0], "high": ci[1],
                              "wins": better.sum(), "paired_p": t, "wilcoxon_p": wp, "wilcoxon_p least": least, "dz": dz, "g": g, "rank_biserial": rb,
                              "welch_p": stats.ttest_ind(u1, v1, equal_var=False).pvalue if free else None}
holm(tests.values(), "paired_p")
holm(tests.values(), "wilcoxon_p")
rows = {(r["metric"], r["set"], r["setting"]): r for r in table("tests")}
if set(rows) != set(tests):
    other.append(f"tests.csv: other rows: {set(rows) ^ set(tests)}")
for key in set(rows) & set(tests):
    for name, of in [(n, n) for n in ("n", "difference", "low", "high", "wins", "paired_p", "wilcoxon_p", "welch_p", "dz", "g", "rank_biserial")] + \
                    [("paired_holm", "paired_p holm"), ("wilcoxon_holm", "wilcoxon_p holm")]:
        same(f"tests {key} {name}", rows[key][name], tests[key][of])

# DeLong's tests, of each seed and of the mean over all.
found = {}
parts = {(x, s, c): components(*lists[x, s][c][1:]) for x, s in lists for c in lists[x, s]}
average = lambda vs: [sum(v[i] for v in vs) / len(vs) for i in (0, 1)]
for x in settings:
    b = baseline(x)
    for c in ["u1", "u2", "validation", "pooled"]:
        if x == b:
            continue
        whole = [("", seeds[x])] if seeds[x] == seeds[b] else []
        for seed, over in whole + [(s, [s]) for s in seeds[x]]:
            v = [average([parts[x, s, c] for s in over])[i] - average([parts[b, s, c] for s in over])[i] for i in (0, 1)]
            d, se = delong(v)
            found[x, c, seed] = {"family": (network[x], group(c)), "n": len(over), "difference": d, "p": None, "low": None, "high": None}
            if se is not None:
                low, high = stats.norm.interval(.95, d, se)
                found[x, c, seed].update(p=2 * stats.norm.sf(abs(d) / se), low=low, high=high)
holm([f for k, f in found.items() if k[2] == ""], "p")
rows = {(r["setting"], r["set"], r["seed"]): r for r in table("delong")}
if set(rows) != set(found):
    other.append(f"delong.csv: other rows: {set(rows) ^ set(found)}")
for key in set(rows) & set(found):
    for name in "n", "difference", "low", "high", "p":
        same(f"delong {key} {name}", rows[key][name], found[key][name])
    same(f"delong {key} holm", rows[key]["holm"], found[key].get("p holm"))


class PCG:
    """Go's math/rand/v2: PCG-DXSM."""
    def __init__(self, hi, lo):
        self.state = hi << 64 | lo

    def next(self):
        word = (1 << 64) - 1
        self.state = (self.state * (2549297995355413924 << 64 | 4865540595714422341) + (6364136223846793005 << 64 | 1442695040888963407)) % (1 << 128)
        hi, lo = self.state >> 64, self.state & word
        hi ^= hi >> 32
        hi = hi * 0xda942042e4dd58b5 & word
        hi ^= hi >> 48
        return hi * (lo | 1) & word


def draws(sizes, k):
    """How often each image of either class is drawn in replicate k, real ones first."""
    source = PCG(1, k)
    for n in sizes:
        counts, left, reject = np.zeros(n), n, (1 << 32) % n
        while left > 0:
            word = source.next()
            for half in word & 0xffffffff, word >> 32:
                v = half * n
                if left > 0 and v & 0xffffffff >= reject:
                    counts[v >> 32] += 1
                    left -= 1
        yield counts


rows = {(r["setting"], r["set"]): r for r in table("auc_intervals")}
if len(rows) != 4 * len(settings):
    other.append(f"auc_intervals.csv: {len(rows)} rows")
for (x, c), row in rows.items():
    same(f"intervals {x} {c}: runs", row["runs"], len(seeds[x]))
    auc, se = delong(average([parts[x, s, c] for s in seeds[x]]))
    same(f"intervals {x} {c}: auc", row["auc"], auc)
    same(f"intervals {x} {c}: low", row["delong_low"], None if se is None else max(0, stats.norm.interval(.95, auc, se)[0]))
    same(f"intervals {x} {c}: high", row["delong_high"], None if se is None else min(1, stats.norm.interval(.95, auc, se)[1]))
    won = 0
    for seed in seeds[x]:
        _, y, s = lists[x, seed][c]
        a, b = s[y == 1][:, None], s[y == 0][None, :]
        won = won + ((a > b) + .5 * (a == b)) / len(seeds[x])
    aucs = []
    for k in range(job["replicates"]):
        real, synthetic = draws([won.shape[1], won.shape[0]], k)
        aucs.append(synthetic @ won @ real / won.size)
    spread = np.ptp(aucs) > 1e-12
    for name, q in ("bootstrap_low", 2.5), ("bootstrap_high", 97.5):
        same(f"intervals {x} {c}: {name}", row[name], np.percentile(aucs, q) if spread else None)
print(json.dumps({"compared": compared, "other": other[:20]}))
