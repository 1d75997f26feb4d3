/**
 * `npm test`: every test, after installing what they need. Arguments are parts of the names of tests to run instead of
 * all (`npm test -- core/check`). Ends with the runner's counts on a line of their own.
 */
import { prepareTests, runTests } from './run-tests.mjs'

process.exitCode = await runTests(prepareTests(process.argv.slice(2)))
