/** How many files, sockets among them, this process may have open. Node.js raises that to the hard limit when it starts. */
import { readFileSync } from 'node:fs'

/** Undefined where nobody knows, or there is no limit. `report`: Node.js's report of itself, which takes its time. */
export function openFilesMax (report: () => object, file = '/proc/self/limits'): number | undefined {
  try {
    return numberOf(/^Max open files +(\w+)/m.exec(readFileSync(file, 'utf8'))?.[1])
  } catch { // no Linux
    const { userLimits } = report() as { userLimits?: { open_files?: { soft?: unknown } } }
    return numberOf(userLimits?.open_files?.soft)
  }
}

function numberOf (limit: unknown): number | undefined {
  const number = Number(limit)
  return Number.isSafeInteger(number) && number > 0 ? number : undefined // 'unlimited', or what we do not understand
}
