Register-ArgumentCompleter -Native -CommandName kubectl-evolve -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $prev = $env:EVOLVE_COMPLETE;
    $env:EVOLVE_COMPLETE = "powershell";

    $args = $commandAst.Extent.Text
    $args = $args.Substring(0, [math]::Min($cursorPosition, $args.Length));
    if ($wordToComplete -eq "") {
        $args += " ''";
    }

    $results = Invoke-Expression @"
& kubectl-evolve -- $args
"@;
    if ($null -eq $prev) {
        Remove-Item Env:\EVOLVE_COMPLETE;
    } else {
        $env:EVOLVE_COMPLETE = $prev;
    }
    $results | ForEach-Object {
        $split = $_.Split("`t");
        $cmd = $split[0];

        if ($split.Length -eq 2) {
            $help = $split[1];
        }
        else {
            $help = $split[0];
        }

        [System.Management.Automation.CompletionResult]::new($cmd, $cmd, 'ParameterValue', $help)
    }
};
