/** Self-doubt for the load: nobody goes out whose load the others could not carry. How to read the drawings: drawings.ts. */
import t from 'tap'
import { decided, only, play, tell, web } from './drawings.ts'

void t.test('the others are strained: they could not carry its load', async (t) => {
  tell(t, 'two of four sleep', web('abcde', only('strain')), `
    a  ++++SSS++  uuuuuu!uu
    b  ++zzzzzzz  uuuuuuuuu
    c  ++zzzzzzz  uuuuuuuuu
    d  +++++++++  uuuuuuuuu
    e  +++++++++  uuuuuuuuu`)
  tell(t, 'one that cannot serve carries nothing: no reason to keep it', web('abcde', only('strain')), `
    a  ++++---++  uuuuuuddu
    b  ++zzzzzzz  uuuuuuuuu
    c  ++zzzzzzz  uuuuuuuuu
    d  +++++++++  uuuuuuuuu
    e  +++++++++  uuuuuuuuu`)
  tell(t, 'its own slowness does not count', web('ab', only('strain')), `
    a  zzz---  uuuuud
    b  ++++++  uuuuuu`)
  tell(t, 'one that is out already has no load', web('abc', only('strain')), `
    a  ++---ooo  uuuudddK  out, and only kept, for the others are no better
    b  +++zzzzz  uuuuuuuu
    c  +++zzzzz  uuuuuuuu`)
  tell(t, 'those that are strained may refuse', web('ab', only('strain')), `
    a  +++xxx  uuuuud
    b  zzz+++  uuuuuu`)
})

void t.test('others have only just gone out: first see what that does', async (t) => {
  tell(t, 'one in six seconds, of five', web('abcde', only('burst')), `
    a  ++---+++++  uuuudduuuu
    b  ++-------+  uuuuqqqddd
    c  ++-----+++  uuuuqqquuu
    d  ++++++++++  uuuuuuuuuu
    e  ++++++++++  uuuuuuuuuu`)
})

void t.test('as many at once as 20% of the servers, and one at least', async (t) => {
  const rows: ReadonlyArray<readonly [servers: number, out: number]> = [[2, 1], [5, 1], [9, 1], [10, 2], [15, 3]]
  for (const [servers, out] of rows) {
    const names = Array.from('abcdefghijklmno').slice(0, servers)
    const story = play(web(names.join(''), only('burst')), names.map(name => `${name} ++---`).join('\n'))
    t.strictSame(names.map(name => decided(story, name).state), names.map((_, i) => i < out ? 'down' : 'up'), `${out} of ${servers}`)
  }
})

void t.test('but those that hang out of the blue go all at once: that is no load, which shows before', async (t) => {
  const policy = only('gate', 'burst', 'strain')
  /** What becomes of a and b, which fail together, while c and d fare well. */
  const both = (polls: string, e = '+'.repeat(polls.length), of = policy): string => {
    const fine = '+'.repeat(polls.length)
    const story = play(web('abcde', of), `a ${polls}\nb ${polls}\nc ${fine}\nd ${fine}\ne ${e}`)
    return ['a', 'b'].map(name => decided(story, name).state).join()
  }
  tell(t, 'a rack', web('abcde', policy), `
    a  ++++++++++ooo  uuuuuuuuuuuud
    b  ++++++++++ooo  uuuuuuuuuuuud
    c  +++++++++++++  uuuuuuuuuuuuu
    d  +++++++++++++  uuuuuuuuuuuuu
    e  +++++++++++++  uuuuuuuuuuuuu`)
  const rows: ReadonlyArray<readonly [polls: string, e: string, out: string, string]> = [
    ['++++++++++ooo', '+++++++++++++', 'down,down', 'as drawn'],
    ['++++++++++nnn', '+++++++++++++', 'down,up', 'no connection'],
    ['++++++++++HHH', '+++++++++++++', 'down,up', 'not silent'],
    ['++++++++++yooo', '++++++++++++++', 'down,up', 'one of their last three answers was slow'],
    ['++++++y+++ooo', '+++++++++++++', 'down,down', 'one before'],
    ['++++++++++ooo', '+++++++++y+++', 'down,up', 'the others are slower, too'],
    ['++++++++++ooo', '+++++++++yooo', 'down,down', 'but one that has just failed to answer is not asked'],
    ['++++++++++ooo', 'xxxxxxxxxxxyy', 'down,down', 'nor one that carries nothing'],
    ['+++++++++ooo', '++++++++++++', 'down,down', 'in service for 16 s'],
    ['++++++++ooo', '+++++++++++', 'down,up', 'for 14 s: maybe it is the load that came with it'],
    ['ll++++++++ooo', '+++++++++++++', 'down,up', 'for 14 s'],
    ['oo+++++++++ooo', '++++++++++++++', 'down,down', 'for 16 s']
  ]
  for (const [polls, e, out, why] of rows) t.equal(both(polls, e), out, `${polls} beside ${e}: ${why}`)
  t.equal(both('++++++++++ooo', undefined, only('gate', 'burst')), 'down,up', 'nobody knows what is quick')
  t.equal(both('+++ooo', undefined, only('burst', 'strain')), 'down,down', 'no settling, where no gate asks for it')
  t.equal(both('++ooo', undefined, only('burst', 'strain')), 'down,up', 'two answers are too few to know')
})
