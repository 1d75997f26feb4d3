import t from 'tap'
import { LET_IN_MAX, Places, type Guest } from '../../src/runtime/places.ts'
import { SimClock } from '../../src/sim/clock.ts'

interface Named extends Guest { readonly name: string }

/** What happens to guests who come, leave and give up, as it is drawn. */
class House {
  readonly clock = new SimClock()
  readonly inside: string[] = []
  readonly #guests = new Map<string, Named>()
  readonly #places: Places<Named>

  constructor (max: number, letInMs = 0) {
    this.#places = new Places({ clock: this.clock, max: () => max, letInMs, enter: ({ name }) => { this.inside.push(name) } })
  }

  /** `+a` comes, `+A` comes and takes two places, `-a` leaves, `~a` waits no more; a blank lets a moment pass. */
  async play (story: string): Promise<string> {
    for (const [word, does, name] of story.matchAll(/([-+~])(\w+)| /g)) {
      if (word === ' ') await this.clock.advance(0)
      else if (name !== undefined) this.#do(does, name)
    }
    await this.clock.advance(0)
    return this.inside.join('')
  }

  #do (does: string | undefined, name: string): void {
    const guest = this.#guests.get(name) ?? { name, places: /^[A-Z]/.test(name) ? 2 : 1 }
    this.#guests.set(name, guest)
    if (does === '+') return this.#places.come(guest)
    if (does === '~') return this.#places.forget(guest)
    this.inside.splice(this.inside.indexOf(name), 1)
    this.#places.leave(guest)
  }
}

void t.test('who is in, of those who came', async (t) => {
  const rows: ReadonlyArray<readonly [max: number, story: string, inside: string, why: string]> = [
    [3, '+a+b', 'ab', 'there is room'],
    [3, '+a+b+c', 'abc', 'at the bound'],
    [3, '+a+b+c+d', 'abc', 'and one over'],
    [3, '+a+b+c+d-b', 'acd', 'a place for the one who waits'],
    [3, '+a+b+c+d+e+f-b -a ', 'cde', 'first come, first served'],
    [3, '+a+b+c+d+e-a+f ', 'bcd', 'nobody slips in before those who wait'],
    [3, '+a+b+c+d-a-b-c ', 'd', 'more room than needed'],
    [3, '+a+b+c+d+d-a-b ', 'cd', 'who comes twice waits once'],
    [3, '+a+B', 'aB', 'one that takes two'],
    [3, '+A+B+c', 'A', 'does not fit into one; nor does who comes later pass it'],
    [3, '+A+B+c-A ', 'Bc', 'and then both'],
    [2, '+a+b+C+d-a ', 'b', 'two are waited for'],
    [2, '+a+b+C+d-a -b ', 'C', 'until they are there'],
    [2, '+a+b+C+d-a ~C ', 'bd', 'who waits no more makes way'],
    [2, '+a+b+c+d~c-a ', 'bd', 'and is not let in'],
    [2, '+a+b+c-a~c -b+e', 'e', 'not even when its turn has come already'],
    [2, '+a~a', 'a', 'who is in is in'],
    [2, '+a-a+a-a+a+b+c', 'ab', 'again and again'],
    [1, '+A+b', 'A', 'one that takes more than there is enters alone'],
    [1, '+b+A-b ', 'A', 'in its turn']
  ]
  for (const [max, story, inside, why] of rows) t.equal(await new House(max).play(story), inside, `${why}: ${story}`)
})

void t.test('places that come free are not taken at once, and not by all', async (t) => {
  const size = 3 * LET_IN_MAX
  const names = (letter: string): readonly string[] => Array.from({ length: size }, (_, i) => `${letter}${i}`)
  const house = new House(size, 10)
  await house.play(names('a').map(name => `+${name}`).join(''))
  await house.play(names('b').map(name => `+${name}`).join(''))
  await house.play(names('a').map(name => `-${name}`).join(''))
  const drawn: number[] = []
  for (let ms = 0; ms < 40; ms += 5) {
    drawn.push(house.inside.length / LET_IN_MAX)
    await house.clock.advance(5)
  }
  t.strictSame(drawn, [0, 0, 1, 1, 2, 2, 3, 3], 'a few, then a few more')
  t.strictSame(house.inside, names('b'), 'in order')
  t.equal(house.clock.waiting, 0, 'and then nothing is left to come')
})

void t.test('when the last who waits gives up, nothing is left to come', async (t) => {
  const house = new House(1, 10)
  await house.play('+a+b-a')
  t.equal(house.clock.waiting, 1)
  await house.play('~b')
  t.equal(house.clock.waiting, 0)
  t.equal(await house.play('+c'), 'c')
})
