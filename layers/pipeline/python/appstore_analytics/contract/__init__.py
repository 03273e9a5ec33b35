"""Facts that the CloudFormation template and the running functions share. Data only, standard library only."""
