/** Why an address cannot be listened on, for the person who chose it. */
const CURES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something already listens there: another hcf?',
  EACCES: 'not permitted: choose a port above 1023, or a directory this user may write',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOENT: 'the directory of the socket does not exist'
}

/** Undefined for what is no error of the system's. */
export function listenProblem (error: unknown): string | undefined {
  const { code, address = '', port = '', message } = error as NodeJS.ErrnoException & { address?: string, port?: number }
  if (code === undefined) return undefined
  const where = [address, port].filter(part => part !== '' && part !== -1).join(':')
  return `cannot listen on ${where === '' ? message : where}: ${CURES[code] ?? code}`
}
