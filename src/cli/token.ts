/** `hcf token`: makes a token for the admin port. The agent's file gets a hash; the token itself is shown once, and kept nowhere. */
import { isTokenName, makeToken } from '../admin/tokens.ts'
import type { Define } from './index.ts'
import { CommandError, EXIT } from './io.ts'

const HELP = `
The line for admin.token_file goes to stdout, the token itself to stderr, so that this adds the line and shows the token:
  hcf token ana >> /etc/hcf/tokens
Then reload hcf. The token is what the other machine needs, in HCF_TOKEN or in a file of its own for --token-file.
It cannot be shown again: who has lost it makes another one, and removes the old line. Loopback and unix socket need none.`

export const define: Define = (command, io, end) => {
  command.argument('<name>', 'whose it is: the author of the orders it gives')
  command.option('--read-only', 'may look, and not order')
  command.addHelpText('after', HELP)
  command.action(async (name: string, { readOnly = false }: { readonly readOnly?: true | false }) => {
    if (!isTokenName(name)) throw new CommandError('the name must be 1 to 64 of the characters A-Z a-z 0-9 _ . -', EXIT.usage)
    const { token, line } = await makeToken(name, { readOnly })
    io.stderr.write(`The token of ${name}, shown only now${readOnly ? ' (it may read, and not order)' : ''}:\n  ${token}\nThe line for admin.token_file, which does not hold it:\n`)
    io.stdout.write(`${line}\n`)
    end(EXIT.ok)
  })
}
