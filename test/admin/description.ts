/** The OpenAPI description as a test reads it. */
import { z } from 'zod'

export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly security?: unknown
  readonly parameters?: ReadonlyArray<{ readonly name: string, readonly in: string, readonly schema: object }>
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> }
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, { readonly schema: object }>> }>>
}

export interface Description {
  readonly openapi: string
  readonly info: object
  readonly components: { readonly schemas: Readonly<Record<string, object>>, readonly securitySchemes: object }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** What it promises of an answer, as something to check by; undefined where it promises nothing. */
export function promised ({ components, paths }: Description, method: string, path: string, status: number, type = 'application/json'): z.ZodType | undefined {
  const schema = paths[path]?.[method.toLowerCase()]?.responses[status]?.content[type]?.schema
  if (schema === undefined) return undefined
  const text = JSON.stringify({ ...schema, $defs: components.schemas }).replaceAll('#/components/schemas/', '#/$defs/')
  return z.fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0])
}
