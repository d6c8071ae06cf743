/** Where the embedded servers have their files. */

/** Begins the name of each server's folder. */
export const FOLDER_PREFIX = 'afresh-postgres-'

/** Temporary files that survive a reboot: https://refspecs.linuxfoundation.org/FHS_3.0/fhs/ch05s15.html */
export const ON_A_DISK = '/var/tmp'
