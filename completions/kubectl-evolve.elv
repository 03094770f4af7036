set edit:completion:arg-completer[kubectl-evolve] = { |@words|
    var index = (count $words)
    set index = (- $index 1)

    put (env _CLAP_IFS="\n" _CLAP_COMPLETE_INDEX=(to-string $index) EVOLVE_COMPLETE="elvish" kubectl-evolve -- $@words) | to-lines
}
