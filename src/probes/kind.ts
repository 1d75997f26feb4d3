/** What a probe kind over HTTP is: options in, a look out. The look asks the node and gives facts; it judges nothing. */
import type { Facts } from '../core/model.ts'
import type { Node, ProbeKind, ProbeOptions } from '../core/probe.ts'
import type { HttpAnswer, HttpRequest } from './http-client.ts'

export type Ask = (request: HttpRequest) => Promise<HttpAnswer>
export type Look = (ask: Ask) => Promise<Facts>
export type HttpProbe<K extends ProbeKind> = (options: ProbeOptions[K], wants: readonly string[], node: Node) => Look
