/**
 * Text from outside (nodes, operators, errors) made fit to show.
 *
 * A Tahoe cap is the permission to read or write a file, a furl the one to reach a server [webapi]:
 * neither may reach a log, an error, a reply or a page, so they are cut out before anything else.
 */

const CAP = /URI(?::|%(?:25)*3A)[^\s"'<>\\,;()]*/gi
const FURL = /pb(?::|%(?:25)*3A)(?:\/|%(?:25)*2F){2}[^\s"'<>\\,;()]*/gi

/** The text without Tahoe capabilities and furls, whether written plainly or percent-encoded. */
export function redact (text: string): string {
  if (!/uri|pb[:%]/i.test(text)) return text
  return text.replace(CAP, 'URI:[redacted]').replace(FURL, 'pb://[redacted]')
}

/** Text in any language that does nothing to a terminal: only letters, blanks and newlines, nothing that moves the cursor or turns the line around. */
export const printable = (text: string): string => text.replace(/(?:(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}])+/gu, ' ')

/** One line of printable ASCII of at most `max` characters, without secrets, quotes and angle brackets. */
export function clean (text: string, max = 100): string {
  const line = redact(text).replace(/[^\x20-\x7e]+/g, ' ').replace(/["<>]/g, "'").replace(/ {2,}/g, ' ').trim()
  return line.length <= max ? line : `${line.slice(0, max - 3)}...`
}

const UNITS = [['h', 3_600_000], ['m', 60_000], ['s', 1000]] as const

/** Milliseconds as a person writes them: `500ms`, `2s`, `1.5s`, `5m`. */
export function showDuration (ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`
  for (const [unit, size] of UNITS) {
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`
  }
  return `${Math.round(ms / 100) / 10}s`
}

/** How long something has been or will be, to the two units that matter: `400ms`, `13s`, `2m 5s`, `3h 12m`, `2d 4h`. */
export function showAge (ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`
  const seconds = Math.floor(ms / 1000)
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)]
  if (minutes === 0) return `${seconds}s`
  if (hours === 0) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m ${seconds % 60}s`
  if (days === 0) return minutes % 60 === 0 ? `${hours}h` : `${hours}h ${minutes % 60}m`
  return hours % 24 === 0 ? `${days}d` : `${days}d ${hours % 24}h`
}

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Bytes as a person writes them: `512B`, `1.5GiB`. */
export function showSize (bytes: number): string {
  let value = bytes
  let unit = 0
  while (Math.abs(value) >= 1024 && unit < SIZES.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${Math.round(value * 10) / 10}${SIZES[unit] ?? 'B'}`
}

/** `1 server`, `2 servers`. */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`

/** One line without secrets and control characters, of at most `max` characters, in any language: what a person wrote, to keep. */
export function tidy (text: string, max: number): string {
  const line = redact(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  return line.length <= max ? line : `${line.slice(0, max - 3).replace(/[\uD800-\uDBFF]$/, '')}...` // no half of a character
}
