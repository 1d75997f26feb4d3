/**
 * What the polls have taught us, over a restart. Written when we stop; worth something only while it is fresh: a server
 * whose last look is older begins anew, and HAProxy keeps what it knows of it meanwhile.
 */
import { createHash } from 'node:crypto'
import { unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Backend } from '../core/model.ts'
import type { Snapshot } from '../core/reload.ts'
import type { Clock } from './clock.ts'
import type { LogEvent } from './log.ts'
import { readStateFile, writeStateFile } from './state-file.ts'

const VERSION = 1

/** Snapshots by backend, and how far their times are behind our clock. */
export interface Restored {
  readonly shiftMs: number
  readonly backends: Readonly<Record<string, Snapshot>>
}

interface Saved {
  readonly monotonicMs: number
  readonly wallMs: number
  readonly backends: Readonly<Record<string, Snapshot>>
}

export interface PolledDeps {
  readonly clock: Pick<Clock, 'now' | 'wall'>
  readonly log: LogEvent
  readonly stateDir: string
}

const pathOf = (stateDir: string): string => join(stateDir, 'polled.json')

export function savePolled (backends: Readonly<Record<string, Snapshot>>, { clock, log, stateDir }: PolledDeps): void {
  const saved: Saved = { monotonicMs: clock.now(), wallMs: clock.wall(), backends: mapNames(backends, digest) }
  try {
    writeStateFile(pathOf(stateDir), VERSION, saved)
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException
    log('state.write_failed', { file: pathOf(stateDir), why: code }, 'cannot keep what the polls said: after the restart every server begins anew')
  }
}

/** Undefined when there is nothing to go on with. */
export function readPolled (backends: readonly Backend[], { clock, log, stateDir }: PolledDeps): Restored | undefined {
  const read = readStateFile(pathOf(stateDir), VERSION)
  if (read.kind === 'set-aside') {
    log('state.set_aside', { file: pathOf(stateDir), to: read.to, why: read.why }, 'a state file was not understood: every server begins anew')
  }
  if (read.kind !== 'data' || !isSaved(read.data)) return undefined
  forget(pathOf(stateDir)) // worth something for this start, and for no later one
  const { monotonicMs, wallMs, backends: saved } = read.data
  const shiftMs = (clock.now() - clock.wall()) - (monotonicMs - wallMs)
  // A calendar that was set back would make old looks seem fresh.
  if (clock.wall() < wallMs) return undefined
  try {
    return { shiftMs, backends: mapNames(saved, reader(backends)) }
  } catch { // JSON of our version, but not ours: what was learned is not worth a start
    log('state.set_aside', { file: pathOf(stateDir), to: 'nowhere', why: 'is not ours' }, 'a state file was not understood: every server begins anew')
    return undefined
  }
}

function forget (path: string): void {
  try {
    unlinkSync(path)
  } catch { // a directory that cannot be written: said when we stop and write it anew
  }
}

function isSaved (data: unknown): data is Saved {
  if (typeof data !== 'object' || data === null) return false
  const { monotonicMs, wallMs, backends } = data as Partial<Saved>
  return typeof monotonicMs === 'number' && typeof wallMs === 'number' && typeof backends === 'object'
}

/** What a criterion means is written as a digest: its options may hold a token. */
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url')

function reader (backends: readonly Backend[]): (text: string) => string {
  const criteria = backends.flatMap(({ servers }) => servers.flatMap(server => server.criteria))
  const known = new Map(criteria.flatMap(({ meaning, probe }) => [meaning, probe]).map(text => [digest(text), text]))
  return text => known.get(text) ?? text
}

function mapNames (backends: Saved['backends'], map: (text: string) => string): Saved['backends'] {
  return Object.fromEntries(Object.entries(backends).map(([name, { servers, state }]) => [name, {
    servers: servers.map(server => ({
      ...server, criteria: server.criteria.map(criterion => ({ ...criterion, meaning: map(criterion.meaning), probe: map(criterion.probe) }))
    })),
    state: {
      ...state,
      servers: state.servers.map(server => ({
        ...server, probes: Object.fromEntries(Object.entries(server.probes).map(([key, memory]) => [map(key), memory]))
      }))
    }
  }]))
}
