/** `hcf schema`: the JSON Schema of the config, for editors. */
import { z } from 'zod'
import { commonOptions } from '../config/compile.ts'
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

/** Of criteria the file's schema knows only that they are mappings; here every kind is spelled out. */
export function configSchema (): Record<string, unknown> {
  const kinds = Object.entries(criterionKinds as Readonly<Record<string, AnyCriterionKind>>).map(([name, { summary, options }]) =>
    z.strictObject({ kind: z.literal(name), ...options.shape, ...commonOptions }).describe(summary))
  const merged = z.looseObject({ kind: z.never().optional() }).describe('changes to the profile’s criterion of this name')
  const criterion = z.union([z.literal(false), merged, ...kinds])

  const { backends } = fileSchema.shape
  const backend = (backends.valueType).extend({ criteria: z.record(z.string(), criterion).optional() })
  const schema = fileSchema.extend({ backends: z.record(z.string(), backend) })
  return { title: 'hcf.yaml', ...z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) }
}
