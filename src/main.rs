use std::process::ExitCode;

fn main() -> ExitCode {
    kubectl_evolve::app::main()
}
