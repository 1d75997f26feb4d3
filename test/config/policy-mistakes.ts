/** What `hcf check` says of policies that are wrong, by fixture. */
const DURATION = 'must be a duration like 500ms, 2s or 5m'
const PERCENT = 'must be a percentage from'
const LEAST = 'the least weight of a server in service'
const POLICY = 'interval, fast, timeout, hedge, rise, fall, window, gate, burst, strain, hold, min_up, max_out, at_most_drained, weight, peers, ramp, ' +
  'stale_after, stale_open, stale'
const SOON = 'or a verdict is stale before the next look can end'

export const policyMistakes: Readonly<Record<string, readonly string[]>> = {
  'mode-misspelt': ['3:11: backends.web.mode must be enforce or observe, is "watch"'],
  'unknown-key-in-policy': [
    `7:7: backends.web.policy.intervall is not a known key (did you mean interval? known: ${POLICY})`,
    `8:7: backends.web.policy.max_outs is not a known key (did you mean max_out? known: ${POLICY})`
  ],
  'unknown-key-in-a-policy-group': [
    '7:17: backends.web.policy.window.fail is not a known key (did you mean fails? known: fails, of)',
    '8:15: backends.web.policy.hold.min is not a known key (known: base, max, window)'
  ],
  // values
  'duration-too-long': ['7:13: backends.web.policy.fast must be a duration of at most 24h, is "1000h"'],
  'rise-of-nothing': [
    '7:13: backends.web.policy.rise must be a whole number, at least 1, is 0',
    '8:13: backends.web.policy.fall must be at most 100, is 101'
  ],
  'min-up-as-a-percentage': ['7:15: backends.web.policy.min_up must be a whole number, at least 0, is "50%"'],
  'policy-group-is-not-one': [
    '7:14: backends.web.policy.hedge must be off, or a duration like 700ms, is "fast"',
    '8:15: backends.web.policy.window must be off, or a mapping of fails and of, is "4 of 10"',
    '9:13: backends.web.policy.gate must be off, or a mapping of quorum, quorum_strict and settle, is true',
    '10:13: backends.web.policy.burst must be off, or a mapping of share and within, is empty',
    '11:15: backends.web.policy.strain must be off, or a mapping of slow, share, up, down and step, is a list',
    '12:13: backends.web.policy.ramp must be off, or a mapping of for, from and full, is "no"'
  ],
  'policy-percentage-out-of-range': [
    `7:23: backends.web.policy.gate.quorum ${PERCENT} 1% to 100%, is "0%"`,
    `8:23: backends.web.policy.burst.share ${PERCENT} 1% to 100%, is "101%"`,
    `9:16: backends.web.policy.max_out ${PERCENT} 0% to 100%, is "101%"`,
    `10:26: backends.web.policy.weight.quantum ${PERCENT} 1% to 50%, is "51%"`,
    `10:37: backends.web.policy.weight.down ${PERCENT} 1% to 99%, is "100%"`,
    `10:50: backends.web.policy.weight.floor ${PERCENT} 1% to 100%, is 10`,
    `11:24: backends.web.policy.peers.slower ${PERCENT} 101% to 1000%, is "100%"`,
    `12:21: backends.web.policy.ramp.full ${PERCENT} 0% to 100%, is "-1%"`
  ],
  'policy-number-out-of-range': [
    '7:24: backends.web.policy.window.fails must be a whole number, at least 1, is 0',
    '7:31: backends.web.policy.window.of must be at most 30, is 31',
    '8:23: backends.web.policy.weight.base must be at most 256, is 257',
    '9:25: backends.web.policy.peers.servers must be a whole number, at least 2, is 1'
  ],
  'policy-duration-out-of-range': [
    '7:17: backends.web.policy.interval must be a duration of at most 1h, is "2h"',
    '8:16: backends.web.policy.timeout must be a duration of at most 1h, is "61m"',
    `9:21: backends.web.policy.hold.base ${DURATION}, is "0s"`,
    '10:20: backends.web.policy.stale_after must be a duration of at most 12h, is "13h"',
    '11:19: backends.web.policy.stale_open must be a duration of at most 24h, is "25h"'
  ],
  'stale-misspelt': ['7:14: backends.web.policy.stale must be open or hold, is "opened"'],
  // contradictions
  'min-up-over-servers': ['7:15: backends.web.policy.min_up must be at most the number of servers (2), is 3'],
  'window-that-cannot-be': ['7:7: backends.web.policy.window has 12 fails of 10, which cannot be: fails must be at most of'],
  'hold-upside-down': [
    '7:7: backends.web.policy.hold has base 5m above max 2m: max must be at least base',
    '12:7: backends.exact.policy.hold has base 1501ms above max 1500ms: max must be at least base'
  ],
  'stale-before-the-next-look': [`8:20: backends.web.policy.stale_after must be at least interval + timeout (7s), ${SOON}, is 6s`],
  'stale-open-before-stale': ['8:19: backends.web.policy.stale_open must be above stale_after (1m), is 1m'],
  'stale-open-before-stale-by-default': ['8:19: backends.web.policy.stale_open must be above stale_after (39s), is 30s'],
  'stale-held-and-opened': ['8:7: backends.web.policy.stale_open has no meaning with stale: hold, which never gives a verdict up'],
  'weight-below-the-least': [
    `6:51: backends.web.criteria.lag.on_fail must be at least 10%, ${LEAST} (policy.weight has floor 10%, base 100), is weight 5%`,
    `13:24: backends.small.criteria.http.on_fail must be at least 25%, ${LEAST} (policy.weight has floor 10%, base 4), is weight 24%`,
    `16:3: backends.tahoe_read.criteria.latency.on_fail must be at least 30%, ${LEAST} (policy.weight has floor 30%, base 100), is weight 25%`
  ],
  // all of it at once, though the file as a whole has not the right shape
  'policy-wrong-in-every-way': [
    `8:24: backends.web.criteria.http.on_fail must be at least 20%, ${LEAST} (policy.weight has floor 20%, base 100), is weight 5%`,
    '10:13: backends.web.policy.rise must be a whole number, at least 1, is 0',
    '11:7: backends.web.policy.window has 5 fails of 4, which cannot be: fails must be at most of',
    `12:23: backends.web.policy.gate.quorum ${PERCENT} 1% to 100%, is 34`,
    '13:7: backends.web.policy.hold has base 3m above max 2m: max must be at least base',
    '14:15: backends.web.policy.min_up must be at most the number of servers (1), is 2',
    `16:20: backends.web.policy.stale_after must be at least interval + timeout (4s), ${SOON}, is 3s`,
    '17:19: backends.web.policy.stale_open must be above stale_after (3s), is 2s',
    `22:17: backends.api.policy.interval ${DURATION}, is 2`,
    `29:20: backends.more.policy.stale_after ${DURATION}, is "soon"`
  ]
}
