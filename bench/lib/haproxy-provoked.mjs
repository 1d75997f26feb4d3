/** Whether checks without an answer are counted: some are provoked, of known number, and counted. */
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { farm } from './farm.mjs'
import { haproxyConfigOf } from './haproxy-config.mjs'
import { parseLog, unansweredIn } from './haproxy-log.mjs'
import { startHaproxy } from './haproxy-process.mjs'
import { here, start } from './measured.mjs'

const SERVERS = 200
const INTER_MS = 300

/** One sentence on how many there were and how many were counted. Throws when some were overlooked. */
export async function provoke (root) {
  const dir = mkdtempSync(join(root, 'p'))
  const mute = await start(here('haproxy-mute.mjs'), [String(SERVERS)], { ready: /listens on (\d+)/ })
  let haproxy
  try {
    const said = mute.message()
    haproxy = await startHaproxy(dir, socket => haproxyConfigOf(farm(SERVERS), { agentPort: mute.words[0], interMs: INTER_MS, socket }))
    const { silent, closed, reset } = await said
    await new Promise(resolve => { setTimeout(resolve, 3 * INTER_MS) }) // the last of them has ended
    const counted = unansweredIn(parseLog(haproxy.log()), { interMs: INTER_MS, untilMs: Date.now() }).length
    const provoked = silent + closed + reset
    if (counted < provoked) throw new Error(`${provoked} checks were left unanswered, and only ${counted} counted`)
    return `The count of unanswered checks was tried first: of ${provoked} that were left in silence (${silent}, up to three in a row), closed without a word (${closed}) or reset (${reset}), it counted ${counted}.`
  } finally {
    await mute.stop()
    await haproxy?.stop()
  }
}
