import 'afresh/jest/reset'
