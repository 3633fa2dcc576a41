import ArgumentParser
import UnixSignals
import MockServe
@main struct M: ParsableCommand { func run() { print("hi") } }