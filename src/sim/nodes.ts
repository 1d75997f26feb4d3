/** The truth: what each node is, and what stands between it and the agent. Nobody in the simulation knows it but the users. */
import type { NodeTruth, ScenarioEvent } from './scenario.ts'

export const HEALTHY_NODE: NodeTruth = {
  mode: 'ok', err: 0, probeErr: undefined, introducer: true, storage: true, lame: false, latMult: 1, capMult: 1, probeLoss: 0
}

/** Whether it would be wrong to take a node out: users are as good as not harmed. */
export const isHealthy = ({ mode, err, lame }: NodeTruth): boolean => mode === 'ok' && err < 0.1 && !lame

/** Whether it is wrong to leave a node in. Between the two there is room for more than one opinion. */
export const isBroken = ({ mode, err }: NodeTruth): boolean => mode !== 'ok' || err >= 0.3

type ProberSet = Extract<ScenarioEvent, { kind: 'prober' }>['set']

export const nodeName = (node: number): string => `n${node}`

export class Nodes {
  readonly truths: NodeTruth[]
  #hidden: boolean[]
  #loss = 0

  constructor (nodes: number) {
    this.truths = Array.from({ length: nodes }, () => HEALTHY_NODE)
    this.#hidden = this.truths.map(() => false)
  }

  truth (node: number): NodeTruth {
    const truth = this.truths[node]
    if (truth === undefined) throw new RangeError(`there is no node ${nodeName(node)}`)
    return truth
  }

  set (node: number, set: Partial<NodeTruth>): void {
    this.truths[node] = { ...this.truth(node), ...set }
  }

  setProber ({ partition, loss }: ProberSet): void {
    if (partition !== undefined) {
      this.#hidden = this.truths.map((_, node) => partition.some(name => name === 'all' || name === nodeName(node)))
    }
    this.#loss = loss ?? this.#loss
  }

  /** Whether the agent's packets do not reach a node that users may reach very well. */
  isHidden (node: number): boolean {
    return this.#hidden[node] === true
  }

  /** The share of looks that get lost on the way. */
  loss (node: number): number {
    return Math.max(this.#loss, this.truth(node).probeLoss)
  }
}
