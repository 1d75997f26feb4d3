/** What `show stat` says, and what is no answer to it. */
import t from 'tap'
import { parseStat } from '../../src/haproxy/runtime.ts'

const HEAD = '# pxname,svname,qcur,scur,stot,status,weight,agent_status,check_status,last_agt,hrsp_5xx,econ,eresp\n'

void t.test('servers, as HAProxy shows them', async t => {
  const rows = parseStat(`${HEAD}web,FRONTEND,,9,9,OPEN,,,,,1,,\nweb,a,1,2,30,DRAIN (agent),50,* L7OK,L4OK,"up, ""100%""",1,2,3\nweb,BACKEND,0,9,9,UP,1,,,,1,2,3\n\n`)
  t.strictSame(rows, [{
    backend: 'web', server: 'a', status: 'DRAIN (agent)', weight: 50, agentStatus: 'L7OK', lastAgent: 'up, "100%"', checkStatus: 'L4OK',
    sessions: 30, sessionsNow: 2, queued: 1, failed: 6
  }])
  t.strictSame(parseStat(`${HEAD}\n`), [], 'no servers is an answer, too')
})

void t.test('what is no answer is not an answer without servers', async t => {
  const cases: ReadonlyArray<[answer: string, says: string, why: string]> = [
    ['Permission denied\n\n', 'show stat is answered with Permission denied', 'a socket of too low a level'],
    ['', 'show stat is answered with nothing', 'hung up'],
    ['\n', 'show stat is answered with nothing', 'an empty line'],
    ['# pxname,status,scur,qcur\n\n', 'show stat is answered with # pxname,status,scur,qcur', 'no names of servers'],
    ['# svname,status,scur,qcur\n\n', 'show stat is answered with # svname,status,scur,qcur', 'no names of backends'],
    ['# pxname,svname,status,qcur\n\n', 'show stat is answered with # pxname,svname,status,qcur', 'no sessions, which is not 0 sessions'],
    [`${HEAD}web,a,0,0,0,UP,1,,,,0,0,0\n`, 'the answer to show stat is cut off', 'without the empty line at its end there may be more'],
    [`${HEAD}web,a,0,0`, 'the answer to show stat is cut off', 'within a line']
  ]
  for (const [answer, says, why] of cases) t.throws(() => parseStat(answer), new Error(says), why)
})
