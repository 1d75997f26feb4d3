/**
 * Built-in sets of criteria, in the words of the config. A backend's own criteria are merged over these by name, and
 * `false` takes one away.
 */

export type RawCriterion = Readonly<Record<string, unknown>>
export interface Profile {
  readonly summary: string
  readonly criteria: Readonly<Record<string, RawCriterion>>
}

/** Tahoe's own defaults are 3 needed, 7 happy of 10 [webapi]; set `at_least` to what your grid has. */
const NEEDED = 3
const HAPPY = 7

export const profiles = {
  'tahoe-read': {
    summary: 'a Tahoe-LAFS gateway that serves reads',
    criteria: {
      storage: { kind: 'tahoe.storage', at_least: NEEDED, on_fail: 'drain' },
      introducer: { kind: 'tahoe.introducer', at_least: 1, on_fail: 'warn' },
      latency: { kind: 'latency', at_most: '1500ms', on_fail: 'weight 25%' }
    }
  },
  'tahoe-write': {
    summary: 'a Tahoe-LAFS gateway that serves writes',
    criteria: {
      storage: { kind: 'tahoe.storage', at_least: HAPPY, on_fail: 'down' },
      space: { kind: 'tahoe.space', at_least: HAPPY, on_fail: 'down' },
      introducer: { kind: 'tahoe.introducer', at_least: 1, on_fail: 'warn' },
      latency: { kind: 'latency', at_most: '1500ms', on_fail: 'weight 25%' }
    }
  },
  http: {
    summary: 'any HTTP service',
    criteria: { http: { kind: 'http', path: '/', status: [200, 204] } }
  },
  tcp: {
    summary: 'any TCP service',
    criteria: { tcp: { kind: 'tcp' } }
  }
} satisfies Record<string, Profile>

export type ProfileName = keyof typeof profiles
