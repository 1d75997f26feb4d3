import t from 'tap'
import type { OnFail } from '../../src/core/model.ts'
import { criteriaWeight } from '../../src/core/weight.ts'
import { criterion, playOne, server } from './drawings.ts'

const weight = (percent: number): OnFail => ({ action: 'weight', percent })

void t.test('the smallest cap, of the server’s own share', async (t) => {
  const criteria = [
    criterion('a', { onFail: weight(50) }), criterion('b', { onFail: weight(20) }), criterion('c', { onFail: { action: 'drain' } })
  ]
  const rows: ReadonlyArray<readonly [Readonly<Record<string, string>>, number, number, string]> = [
    [{}, 100, 100, 'no sample, no cap'],
    [{ a: '+', b: '+' }, 100, 100, 'nothing fails'],
    [{ a: '-' }, 100, 50, 'one fails'],
    [{ a: '-', b: '-' }, 100, 20, 'the smaller one'],
    [{ a: '+--' }, 100, 100, 'not before its run is complete'],
    [{ a: '-+' }, 100, 50, 'until it is back'],
    [{ a: '-++' }, 100, 100, 'and back'],
    [{ a: '4' }, 100, 40, 'a ramp'],
    [{ a: '8', b: '-' }, 100, 20, 'a ramp above a cap'],
    [{ a: '1', b: '-' }, 100, 10, 'a ramp below a cap'],
    [{ a: '4-' }, 100, 40, 'one failure gives a shedding server no load back'],
    [{ a: '4---' }, 100, 50, 'failing, its own cap counts and not its ramp'],
    [{ c: '-' }, 100, 100, 'a drain is no cap: what it shall have when it is back'],
    [{ c: '3' }, 100, 30, 'a ramp of any criterion'],
    [{}, 50, 50, 'the share alone'],
    [{ a: '-' }, 50, 25, 'of the share'],
    [{ b: '-' }, 33, 6, 'rounded down'],
    [{ b: '-' }, 3, 1, 'never to 0'],
    [{ a: '1', b: '-' }, 1, 1, 'never 0']
  ]
  for (const [runs, share, wanted, why] of rows) {
    const one = server('a', criteria, share)
    t.equal(criteriaWeight(one, playOne(one, runs)), wanted, why)
  }
})
