/** Whether something grows: the straight line through what was seen, and how far to trust it. */

/** A line's slope may be off by so many of its standard errors. */
const ERRORS = 3
/** What in a day would add more than this share of itself grows. */
const SHARE_A_DAY = 0.5
const MINUTES_A_DAY = 1440

/**
 * Least squares through `[minute, value]`: the slope a minute and its standard error. At least three points. What a collector
 * leaves goes up and down like a saw, and neighbours on one tooth say the same twice: by as much as neighbours agree (the
 * correlation of one residual with the next), there are fewer points than it looks, and the error is larger.
 */
export function trend (points) {
  const n = points.length
  const mean = at => points.reduce((sum, point) => sum + point[at], 0) / n
  const [x, y] = [mean(0), mean(1)]
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  const slope = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread
  const off = points.map(point => point[1] - y - slope * (point[0] - x))
  const squares = off.reduce((sum, value) => sum + value ** 2, 0)
  const alike = squares === 0 ? 0 : Math.max(0, off.slice(1).reduce((sum, value, i) => sum + value * off[i], 0) / squares)
  const error = Math.sqrt(squares / (n - 2) / spread * (1 + alike) / (1 - alike))
  return { slope, error, level: y }
}

/** Growth in a day at the least and at the most, as far as that line can be trusted. */
export const dayOf = ({ slope, error }) => ({ least: (slope - ERRORS * error) * MINUTES_A_DAY, most: (slope + ERRORS * error) * MINUTES_A_DAY })

/** It grows when, even at the least, a day of it would be much of what there is. */
export const grows = line => dayOf(line).least > line.level * SHARE_A_DAY

export const CRITERION = `It grows when slope - ${ERRORS} standard errors, kept up for a day, would add more than ${SHARE_A_DAY * 100}% of what there is.`
