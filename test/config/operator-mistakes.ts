/** What `hcf check` says of what is wrong with the operator's settings: tokens, sockets, journal, limits, maintenance. */
const SOCKET = 'must be an address like unix:/run/haproxy/admin.sock or 127.0.0.1:9999'
const TOKEN_LINE = 'is not like name:hash or name:hash:read: hcf token NAME makes one that is right'
const NO_TOKEN = 'must be the path of a file that holds names with hashes, not a token or a hash itself'
const ALL_OUT = 'with all of them out by order nobody serves. Leave it out for no limit'
const FORMS = '"03:00", "Sun 03:00", "Mon-Fri 22:30" or "1st 03:00", or five cron fields like "0 3 * * SUN"'
const AT = `must be a time like ${FORMS}`
const LIST = 'must be a list of windows like { at: "Sun 03:00", for: 1h, reason: backup }'
const ZONE = 'must be a time zone like Europe/Zurich or UTC'
const ACTION = 'must be drain, maint, down or weight N% (0 to 99)'
const REASON = 'must be 1 to 100 characters that say why: whoever finds the server out reads them'
const KEYS = '(known: at, for, zone, action, force, reason)'
const DURATION = 'must be a duration like 500ms, 2s or 5m'
const SHORTER = 'must be shorter than the least time between two beginnings'
const LEAST = 'must be weight 0% or at least weight 25%, the least that is not 0 (policy.weight has base 4)'
const WEB = 'backends.web.maintenance'

export const operatorMistakes: Readonly<Record<string, readonly string[]>> = {
  // who may
  'admin-not-loopback': [
    '2:11: admin.listen is not loopback: admin.token_file must name a file of those who may (hcf token NAME makes a line of it)'
  ],
  'token-file-missing': ['3:15: admin.token_file must be a readable file, is "files/no-such.tokens" (ENOENT)'],
  'token-file-with-a-bad-line': [`2:15: admin.token_file names a file whose line 4 ${TOKEN_LINE}`],
  'token-file-with-a-bad-right': [`2:15: admin.token_file names a file whose line 1 ${TOKEN_LINE}`],
  'token-in-the-config-itself': [`2:15: admin.token_file ${NO_TOKEN}`],
  'token-line-in-the-config-itself': [`2:15: admin.token_file ${NO_TOKEN}`],
  // HAProxy's own sockets
  'haproxy-sockets-are-no-addresses': [
    `3:7: haproxy.sockets[0] ${SOCKET}, is "/run/haproxy/admin.sock"`,
    `4:7: haproxy.sockets[1] ${SOCKET}, is "127.0.0.1:0"`,
    `5:7: haproxy.sockets[2] ${SOCKET}, is "unix:"`
  ],
  'haproxy-sockets-as-one': [
    `1:21: haproxy.sockets ${SOCKET.replace('an address', 'a list of addresses')}, is "unix:/run/haproxy/admin.sock"`,
    '1:53: haproxy.push is not a known key (known: sockets)'
  ],
  'haproxy-socket-twice': ['2:61: haproxy.sockets[2] must be an address of its own: unix:/run/haproxy/admin.sock is listed already'],
  // the journal
  'journal-too-small': ['1:22: journal.max_size must be a size from 1MiB to 64GiB, is "1048575B"'],
  'journal-too-large': ['1:22: journal.max_size must be a size from 1MiB to 64GiB, is "65GiB"'],
  'journal-of-no-size': ['1:22: journal.max_size must be a size like 20KiB or 10GiB, is "64MB"'],
  'journal-is-not-one': ['1:10: journal must be off, or a mapping of max_size, is "on"'],
  // how many may be out by order
  'at-most-drained-of-nothing': ['7:24: backends.web.policy.at_most_drained must be a whole number, at least 1, is 0'],
  'at-most-drained-of-all': [
    `7:24: backends.web.policy.at_most_drained must be below the number of servers (2), is 2: ${ALL_OUT}`,
    `11:24: backends.more.policy.at_most_drained must be below the number of servers (3), is 3: ${ALL_OUT}`,
    '12:13: backends.more.policy.rise must be a whole number, at least 1, is 0'
  ],
  // maintenance
  'maintenance-is-not-a-list': [
    `6:18: ${WEB} ${LIST}, is a mapping`,
    `9:53: backends.more.servers.a.maintenance ${LIST}, is "Sun 03:00"`,
    `11:9: backends.more.maintenance[0] ${LIST.replace('a list of windows', 'a window')}, is "Sun 03:00"`
  ],
  'maintenance-at-no-time': [
    `7:15: ${WEB}[0].at ${AT}, is "Sunday 03:00"`,
    `8:15: ${WEB}[1].at ${AT}, is "Sun 24:00"`,
    `9:15: ${WEB}[2].at ${AT}, is "Sun 03:60"`,
    `10:15: ${WEB}[3].at ${AT}, is "Foo 03:00"`,
    `11:15: ${WEB}[4].at ${AT}, is "Mon-Wed-Fri 03:00"`,
    `12:15: ${WEB}[5].at ${AT}, is "32nd 03:00"`,
    `13:15: ${WEB}[6].at ${AT}, is 3`,
    `14:15: ${WEB}[7].at must be five cron fields like "0 3 * * SUN" (minute 0-59, hour 0-23, day 1-31, month 1-12, ` +
      'weekday 0-7 or SUN), is "0 25 * * SUN"',
    `15:15: ${WEB}[8].at ${AT}, is "0 3 * * SUN 2026"`,
    `16:15: ${WEB}[9].at must be a time that comes at all, is "0 3 30 2 *"`,
    `17:15: ${WEB}[10].at ${AT}, is "@daily"`,
    `18:15: ${WEB}[11].at ${AT}, is "? 3 * * *"`
  ],
  'maintenance-of-bad-values': [
    `7:29: ${WEB}[0].for ${DURATION}, is "1d"`,
    `7:39: ${WEB}[0].zone ${ZONE} (did you mean Europe/Zurich?), is "Europe/Zurch"`,
    `7:61: ${WEB}[0].action ${ACTION}, is "ready"`,
    `7:76: ${WEB}[0].reason ${REASON}, is empty`,
    `8:29: ${WEB}[1].for must be a duration of at most 168h, is "169h"`,
    `8:41: ${WEB}[1].zone ${ZONE}, is "+02:00"`,
    `8:59: ${WEB}[1].action ${ACTION}, is "weight 100%"`,
    `8:80: ${WEB}[1].reason ${REASON}, is "   "`,
    `9:39: ${WEB}[2].zone ${ZONE}, is "Mars/Olympus"`,
    `9:61: ${WEB}[2].action ${ACTION}, is "weight"`,
    `9:77: ${WEB}[2].reason ${REASON}, is "${'x'.repeat(80)}..."`,
    `10:9: ${WEB}[3].for is missing: it ${DURATION}`,
    `10:24: ${WEB}[3].until is not a known key ${KEYS}`,
    `11:9: ${WEB}[4].at is missing: it ${AT}`,
    `11:20: ${WEB}[4].when is not a known key ${KEYS}`,
    `12:9: ${WEB}[5].reason is missing: it ${REASON}`
  ],
  'maintenance-longer-than-its-distance': [
    `7:29: ${WEB}[0].for ${SHORTER} (24h), is "24h"`,
    `8:29: ${WEB}[1].for ${SHORTER} (23h), is "23h"`,
    `9:37: ${WEB}[2].for ${SHORTER} (48h), is "48h"`,
    `10:33: ${WEB}[3].for ${SHORTER} (168h), is "168h"`,
    `11:36: ${WEB}[4].for ${SHORTER} (20m), is "20m"`,
    `12:38: ${WEB}[5].for ${SHORTER} (24h), is "24h"`
  ],
  'maintenance-with-a-bare-star': [
    '7:18: is not YAML: Unexpected scalar at node end. A text that begins with * is written in quotes: "*/15 3 * * *"'
  ],
  'maintenance-of-a-server': [
    `4:60: backends.web.servers.a.maintenance[0].at ${AT}, is "25:00"`,
    '7:13: backends.web.policy.rise must be a whole number, at least 1, is 0'
  ],
  'maintenance-weight-below-the-least': [
    `4:86: backends.web.servers.a.maintenance[0].action ${LEAST}, is "weight 24%"`,
    `10:41: ${WEB}[2].action ${LEAST}, is "weight 1%"`
  ]
}
