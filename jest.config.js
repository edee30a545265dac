export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': './test/tools/strip-types.mjs' },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/.cache/'],
  // Simulated time costs what the machine is busy with: 5 s, Jest's default, fails tests of whole clusters where others run.
  testTimeout: 30_000,
  reporters: ['default'],
}
