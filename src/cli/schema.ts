/** `hcf schema`: the JSON Schema of the config, for editors. */
import { z } from 'zod'
import { commonOptions } from '../config/criteria.ts'
import { fileSchema } from '../config/schema.ts'
import { criterionKinds } from '../criteria/index.ts'
import type { AnyCriterionKind } from '../criteria/kind.ts'
import type { Define } from './index.ts'
import { EXIT } from './io.ts'

export const define: Define = (command, io, end) => {
  command.action(() => {
    io.stdout.write(`${JSON.stringify(configSchema(), undefined, 2)}\n`)
    end(EXIT.ok)
  })
}

/** An editor sees the file before `${NAME}` is filled in. */
const VARIABLE = { type: 'string', pattern: '\\$\\{\\w+' } as const

/** Of criteria the file's schema knows only that they are mappings; here every kind is spelled out. */
export function configSchema (): Record<string, unknown> {
  const kinds = Object.entries(criterionKinds as Readonly<Record<string, AnyCriterionKind>>).map(([name, { summary, options }]) =>
    z.strictObject({ kind: z.literal(name), ...options.shape, ...commonOptions }).describe(summary))
  const merged = z.looseObject({ kind: z.never().optional() }).describe('changes to the criterion of this name in the profile')
  const criterion = z.union([z.literal(false), merged, ...kinds])

  const { backends } = fileSchema.shape
  const { criteria } = backends.valueType.shape
  const backend = backends.valueType.extend({ criteria: z.record(criteria.unwrap().keyType, criterion).optional() })
  const schema = fileSchema.extend({ backends: z.record(backends.keyType, backend) })
  return { title: 'hcf.yaml', ...z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', override }) }
}

interface Overridden { readonly jsonSchema: Record<string, unknown>, readonly path: ReadonlyArray<string | number> }

/** Where a value has a form, a variable may stand instead. Names of kinds and keys are always written out. */
function override ({ jsonSchema, path }: Overridden): void {
  const { type, pattern, default: otherwise, ...form } = jsonSchema
  const isFormed = type === 'integer' || type === 'number' || (type === 'string' && (pattern !== undefined || form['enum'] !== undefined))
  if (!isFormed || path.includes('propertyNames')) return
  for (const key of Object.keys(jsonSchema)) delete jsonSchema[key]
  const { description, ...rest } = form
  if (otherwise !== undefined) jsonSchema['default'] = otherwise
  if (description !== undefined) jsonSchema['description'] = description
  jsonSchema['anyOf'] = [{ type, ...(pattern === undefined ? {} : { pattern }), ...rest }, VARIABLE]
}
