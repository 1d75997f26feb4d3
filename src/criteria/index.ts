/** The registry: one line a kind. */
import { http } from './http.ts'
import type { AnyCriterionKind } from './kind.ts'
import { latency } from './latency.ts'
import { metric } from './metric.ts'
import { tahoeBlessed } from './tahoe-blessed.ts'
import { tahoeCheck } from './tahoe-check.ts'
import { tahoeFresh } from './tahoe-fresh.ts'
import { tahoeIntroducer } from './tahoe-introducer.ts'
import { tahoeRead } from './tahoe-read.ts'
import { tahoeSpace } from './tahoe-space.ts'
import { tahoeStatistic } from './tahoe-statistic.ts'
import { tahoeStorage } from './tahoe-storage.ts'
import { tahoeWrite } from './tahoe-write.ts'
import { tcp } from './tcp.ts'

export const criterionKinds = {
  'tahoe.introducer': tahoeIntroducer,
  'tahoe.storage': tahoeStorage,
  'tahoe.blessed': tahoeBlessed,
  'tahoe.space': tahoeSpace,
  'tahoe.fresh': tahoeFresh,
  'tahoe.read': tahoeRead,
  'tahoe.check': tahoeCheck,
  'tahoe.write': tahoeWrite,
  'tahoe.statistic': tahoeStatistic,
  latency,
  http,
  tcp,
  metric
} satisfies Record<string, AnyCriterionKind>

export type CriterionKindName = keyof typeof criterionKinds
